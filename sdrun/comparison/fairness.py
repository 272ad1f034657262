"""What a group of runs had that its baseline had not, and the command that gives the baseline as much."""

import math
import shlex
from collections.abc import Iterator

from sdrun.comparison.groups import STAGE, Group
from sdrun.comparison.runs import Run
from sdrun.comparison.sentences import price
from sdrun.settings.words import parted, printable

VIEWS = ("clean", "weak", "strong")
"""From the weakest to the strongest."""

VIEW = "method.view"
OF_VIEWS = (VIEW, "method.student_view")
ALIKE = 1.05
"""Times the compute that count as as much."""


def advantage(own: Group, base: Group) -> list[str]:
    """What ``own`` had more of, and below it the command of a baseline that has it too; nothing where it had no more.

    The command is that of supervised training, also for a baseline that is a stage of the runs themselves.
    """
    times = price(own.runs, base.runs)
    view, base_view = _strongest(own.example), _strongest(base.example)
    has_stronger = VIEWS.index(view) > VIEWS.index(base_view)
    parts = [f"{view} views"] if has_stronger else []
    if times is not None and times > ALIKE:
        parts.append(f"{times:.1f} times the compute")
    if not parts:
        return []
    words = [
        *(word for word in _kept(base.example) if not (has_stronger and parted(word)[0] == VIEW)),
        *([f"{VIEW}={view}"] if has_stronger else []),
        *(_length(base.example, times) if times is not None and times > ALIKE else []),
        f"seed={','.join(map(str, own.runs))}",
    ]
    sweep = ["-m"] if len(own.runs) > 1 else []
    had = f"{own.label} had {' and '.join(parts)}, {base.label} had not. A baseline that has it too:"
    return [printable(had), printable(f"  {shlex.join(['sdrun', *sweep, *words])}")]


def _strongest(run: Run) -> str:
    views = [view for key in OF_VIEWS if (view := run.settings.get(key)) in VIEWS]
    return max(views, key=VIEWS.index, default=VIEWS[0])


def _kept(run: Run) -> Iterator[str]:
    """The words of its command that are not about seeds and length, or about a method that is not supervised."""
    yield "method=supervised"
    for word in run.manifest.get("overrides", []):
        key, _ = parted(word)
        is_its_own = key == "method" or (STAGE in run.settings and (key.startswith("method.") or "." not in key))
        if not is_its_own and key not in ("seed", "optim.epochs", "optim.max_steps", "hydra.run.dir"):
            yield word


def _length(run: Run, times: float) -> Iterator[str]:
    """Settings by which it would train for as many times as long."""
    for key in ("optim.epochs", "optim.max_steps"):
        if isinstance(value := run.settings.get(key), int | float) and value:
            yield f"{key}={math.ceil(value * times)}"
