"""Runs by arm and seed in the folder of a sweep: their overrides, and what they came to."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from statistics import mean

from sdrun.comparison.declared import together
from sdrun.comparison.runs import Run, read
from sdrun.configuration import settings_from
from sdrun.errors import InputError, require
from sdrun.judges.metric import Better, lookup
from sdrun.settings.words import parted
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable
from sdrun.storage.place import asking_doctor
from sdrun.sweeps.estimate import LENGTH
from sdrun.sweeps.making import Making

Job = tuple[str, int, list[str]]
"""An arm, a seed, and the overrides of the experiment."""


VALIDATION = "dataset.val_size"


def validation(making: Making, common: list[str], line: list[str], asked: int | None, key: str) -> list[str]:
    """As many items for validation as there are labels, at most: who has few would not have more to tune on.

    ``asked``: another number, of the setting ``key``. Raises InputError where ``common`` has more.
    """
    plain = making.compositions.settings([*common, *line])
    most = asked or plain["dataset.num_labels"] or plain["dataset.train_size"]
    if not most or most >= (plain[VALIDATION] or math.inf):
        return []
    is_asked = any(parted(word)[0] == VALIDATION for word in common)
    require(not is_asked, VALIDATION, f"is more than the {most} labels; to tune on more say {key}")
    return [f"{VALIDATION}={most}"]


def place(arm: str, seed: int) -> str:
    """Of a run below the folder of its sweep."""
    return f"{arm}/seed_{seed}"


def finished(path: Path) -> Run | None:
    """The run in ``path``, or None while it is not finished. Raises InputError where it cannot be read."""
    if not os.path.lexists(path / manifests.FILE):
        return None
    try:
        run = read(path)
    except Unreadable as error:
        raise InputError(f"{path}: {error}; see: {asking_doctor(path)}, or move it away") from error
    return run if run.status == "completed" else None


class Arms:
    """``common``: overrides of every run; those of an arm win."""

    def __init__(self, making: Making, common: list[str]) -> None:
        self.making, self.common, self.path = making, common, making.folder.path

    def lines(self, jobs: Iterable[Job]) -> dict[str, list[str]]:
        """Overrides by the place of a run. Raises InputError for some that it cannot have."""
        lines = {place(arm, seed): [*self.common, *overrides, f"seed={seed}"] for arm, seed, overrides in jobs}
        for line in lines.values():
            self.making.compositions.settings(line)
        return lines

    def make(self, jobs: Iterable[Job]) -> None:
        """Raises RunError after all have been tried, where one failed."""
        self.making.make(self.lines(jobs))

    def run(self, arm: str, seed: int) -> Run | None:
        """None while it is not finished."""
        return finished(self.path / place(arm, seed))

    def runs(self, arm: str, seeds: Iterable[int]) -> list[Run] | None:
        """None where not all are finished."""
        runs = [self.run(arm, seed) for seed in seeds]
        return None if None in runs else [run for run in runs if run]

    def whole(self, arm: str, seeds: Iterable[int]) -> list[Run]:
        """Raises InputError where one is not finished."""
        runs = self.runs(arm, seeds)
        if runs is None:
            raise InputError(f"{self.path / arm} is not finished; start the sweep again")
        return runs

    def longer(self, line: list[str], share: float) -> list[str]:
        """Overrides of a training that is ``share`` as long as one of that line."""
        plain = self.making.compositions.settings([*self.common, *line])
        lengths = {key: plain[key] for key in LENGTH}
        return [f"{key}={math.ceil(share * value - 1e-9)}" for key, value in lengths.items() if value is not None]

    def as_dear(self, line: list[str], arm: str, seed: int, length: float, share: float) -> list[str]:
        """Overrides of a training ``share`` times as long, in whole steps, as that of ``arm``, which is ``length``
        times as long as one of ``line``.
        """
        steps = max(stage.get("steps") or 0 for stage in self.whole(arm, [seed])[0].stages.values())
        epochs = [word for word in self.longer(line, length * share) if parted(word)[0] == "optim.epochs"]
        return [*epochs, f"optim.max_steps={math.floor(share * steps)}"]

    def require_settings(self, line: list[str]) -> None:
        """Raise InputError where a run would have settings that do not suit each other."""
        settings_from(self.making.compositions.config([*self.common, *line]))

    def score(self, arm: str, seeds: list[int], metric: str, lacking: str) -> float:
        """The mean of a metric over seeds; the larger the better, none where a run failed.

        Raises InputError, which begins with ``lacking``, where runs do not have it.
        """
        runs = self.runs(arm, seeds)
        if runs is None:
            return -math.inf
        values = [value for run in runs if (value := run.metric(metric)) is not None]
        require(len(values) == len(runs), lacking, f"{metric} is not among the metrics of {arm}")
        return self.sign(arm, seeds, metric) * mean(values)

    def sign(self, arm: str, seeds: list[int], metric: str) -> int:
        """-1 where a lower metric is better."""
        declared = together(run.declared for run in self.whole(arm, seeds))
        return -1 if lookup(metric, declared).better is Better.lower else 1

    def cost(self, arm: str, seeds: Iterable[int]) -> float:
        """Multiply-adds of a training, earlier stages included, mean over seeds."""
        return mean(map(_multiply_adds, self.whole(arm, seeds)))


def _multiply_adds(run: Run) -> float:
    cost: float = run.summary.get("compute", {}).get("multiply_adds", 0)
    require(cost > 0, str(run.path / "summary.json"), "says nothing of its multiply-adds; move the run away")
    return cost
