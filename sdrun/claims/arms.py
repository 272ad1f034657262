"""The runs of a claim by arm and seed: made, each once, and what they came to."""

import math
import sys
from collections import Counter
from collections.abc import Iterable
from statistics import mean

from rich.console import Console

from sdrun.claims.course import Course, Took, ended, kind
from sdrun.claims.declaration import METHOD, PRETRAIN, Declaration
from sdrun.claims.folder import ClaimFolder
from sdrun.comparison.runs import Run
from sdrun.configuration import settings_from
from sdrun.errors import InputError, RunError, require
from sdrun.settings.words import counted, override, printable
from sdrun.sweeps.estimate import LENGTH
from sdrun.sweeps.making import Making
from sdrun.telling import tell

Job = tuple[str, int, list[str]]
"""An arm, a seed, and the overrides of the experiment."""


class Arms:
    """Makes runs in a claim's folder: a finished one is left alone, a half-done one goes on.

    ``common``: overrides of every run; those of an arm win.
    """

    def __init__(self, claim: Declaration, folder: ClaimFolder, making: Making, common: list[str]) -> None:
        self.claim, self.folder, self.making, self.common = claim, folder, making, common
        self.course = Course(claim, making.at_once)

    def make(self, step: str, jobs: list[Job]) -> None:
        """Make those that are not finished; ``step`` is what they are for.

        Raises RunError after all have been tried, where one failed.
        """
        lines = self._lines(jobs)
        self.folder.add_runs(lines)
        if num := sum(self.folder.finished(arm, seed) is None for arm, seed, _ in jobs):
            self._tell(f"{step}: {counted(num, 'run')}", *ended(self.making.folder))
        self.making.make(lines)

    def show(self, step: str, jobs: list[Job]) -> None:
        """Say what would be made, and how long it takes; nothing is."""
        seconds = self.making.show(self._lines(jobs))
        num, took = ended(self.making.folder)
        tried = {kind(place): [time] for place, time in seconds.items() if time is not None}
        self._tell(f"{step}: {counted(len(seconds), 'run')}, as above", num, tried | dict(took))

    def attempt(self, step: str, jobs: list[Job]) -> None:
        """Make them; one that fails, such as by too high a learning rate, ends nothing."""
        try:
            self.make(step, jobs)
        except RunError as error:
            print(f"{str(error).splitlines()[0]}; what failed counts as the worst", file=sys.stderr)

    def pretrain(self, seeds: Iterable[int]) -> None:
        """Make what the method starts from, where it starts from anything."""
        if jobs := self.pretraining(seeds):
            self.make("what the method starts from", jobs)

    def pretraining(self, seeds: Iterable[int]) -> list[Job]:
        """The jobs that make what the method starts from; none, where it starts from nothing."""
        return [] if self.claim.pretrain is None else [(PRETRAIN, seed, self.claim.pretrain) for seed in seeds]

    def initial(self, side: str, seed: int) -> list[str]:
        """Overrides by which a side starts from a pretrained network, which a dry run has none of."""
        if self.claim.pretrain is None or side != METHOD or self.making.is_dry:
            return []
        return [override("init_from", str(self.folder.run(PRETRAIN, seed)))]

    def of_side(self, side: str, overrides: Iterable[str] = ()) -> list[str]:
        """Overrides of a side, with further ones."""
        return [*(self.claim.method if side == METHOD else self.claim.baseline), *overrides]

    def longer(self, side: str, share: float) -> list[str]:
        """Overrides of a training of a side that is ``share`` as long as the experiment says."""
        plain = self.making.compositions.settings([*self.common, *self.of_side(side)])
        lengths = {key: plain[key] for key in LENGTH}
        return [f"{key}={math.ceil(share * value - 1e-9)}" for key, value in lengths.items() if value is not None]

    def require_settings(self, line: list[str]) -> None:
        """Raise InputError where a run would have settings that do not suit each other."""
        settings_from(self.making.compositions.config([*self.common, *line]))

    def finished(self, arm: str, seeds: Iterable[int]) -> list[Run] | None:
        """Runs of an arm; None where not all are finished."""
        runs = [self.folder.finished(arm, seed) for seed in seeds]
        return None if None in runs else [run for run in runs if run]

    def tuned(self, arm: str) -> list[Run]:
        """Runs of an arm on all tuning seeds. Raises InputError where one is not finished."""
        runs = self.finished(arm, self.claim.tuning_seeds)
        if runs is None:
            raise InputError(f"{self.folder.path / arm} is not finished; start the sweep again")
        return runs

    def cost(self, side: str, arm: str) -> float:
        """Multiply-adds of a training, earlier stages and pretraining included, mean over tuning seeds."""
        arms = [arm, PRETRAIN] if side == METHOD and self.claim.pretrain is not None else [arm]
        return sum(mean(map(_multiply_adds, self.tuned(arm))) for arm in arms)

    def _lines(self, jobs: list[Job]) -> dict[str, list[str]]:
        """Overrides by the place of a run. Raises InputError for some that it cannot have."""
        lines = {}
        for arm, seed, overrides in jobs:
            place = str(self.folder.run(arm, seed).relative_to(self.folder.path))
            lines[place] = [*self.common, *overrides, f"seed={seed}"]
        for line in lines.values():
            self.making.compositions.settings(line)
        return lines

    def _tell(self, step: str, num: Counter[str], took: Took) -> None:
        tell(Console(highlight=False, soft_wrap=True), "Claim", printable(f"{step}; {self.course.told(num, took)}"))


def _multiply_adds(run: Run) -> float:
    cost = run.summary.get("compute", {}).get("multiply_adds", 0)
    require(cost > 0, str(run.path / "summary.json"), "says nothing of its multiply-adds; move the run away")
    return cost
