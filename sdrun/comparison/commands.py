"""Command lines of runs: those that made them, and others like these. All can be printed."""

import shlex
from collections.abc import Iterable, Sequence

from sdrun.comparison.runs import Run
from sdrun.settings.words import parted, printable

SEED, FOLDER = "seed", "hydra.run.dir"
"""Keys of a command that are one run's."""


def words(run: Run, *without: str) -> list[str]:
    """The overrides of its command, without those of these keys."""
    return [word for word in run.manifest.get("overrides", []) if parted(word)[0] not in without]


def command(overrides: Iterable[str], seeds: Sequence[int]) -> str:
    """What runs them with these seeds.

    >>> command(["method=supervised", "model.widths=[8,8]"], [0, 1])
    "sdrun -m method=supervised 'model.widths=[8,8]' seed=0,1"
    """
    sweep = ["-m"] if len(seeds) > 1 else []
    return printable(shlex.join(["sdrun", *sweep, *overrides, f"{SEED}={','.join(map(str, seeds))}"]))
