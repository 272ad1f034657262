"""How both sides of a claim are tuned: as many trials each, of which the best go on from length to length."""

from functools import partial

from sdrun.claims.declaration import BASELINE, METHOD, SIDES
from sdrun.claims.jobs import Jobs
from sdrun.claims.members import EXTENDED, Member, affordable_baseline, leading
from sdrun.claims.trials import rungs, trials
from sdrun.claims.tried import Trials, ranked
from sdrun.errors import require
from sdrun.sweeps.arms import Job
from sdrun.sweeps.declared import KEY


class Tuning:
    """The trials of a claim, by side."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs, self.claim = jobs, jobs.claim
        self.trials = {
            side: Trials(
                jobs.yard,
                side,
                jobs.of_side(side),
                trials(self.claim, side),
                partial(jobs.longer, side),
                jobs.before(side),
                partial(jobs.initial, side),
            )
            for side in SIDES
        }

    def require_settings(self, controls: list[list[str]]) -> None:
        """Raise InputError where a trial, or one of the method under a control, has settings that do not suit it."""
        for side, tried in self.trials.items():
            for line in tried.lines:
                for further in ([], *(controls if side == METHOD else ())):
                    self.jobs.arms.require_settings([*tried.line, *line, *further])

    def show(self) -> None:
        """Say what is made first, and how long that and the rest takes."""
        first = self._jobs(self.claim.lengths[0], {side: list(range(self.claim.trials)) for side in SIDES})
        self.jobs.show("the first runs", [*self.jobs.pretraining(self.claim.tuning_seeds), *first])

    def tuned(self) -> list[Member]:
        """The best of each side at each length. Raises InputError where none of a side ended."""
        self.jobs.pretrain(self.claim.tuning_seeds)
        ladder = []
        left = {side: list(range(self.claim.trials)) for side in SIDES}
        for length, num in zip(self.claim.lengths, rungs(self.claim), strict=True):
            left = {side: numbers[:num] for side, numbers in left.items()}
            self.jobs.attempt(f"tuning at length {length:g}", self._jobs(length, left))
            for side, tried in self.trials.items():
                scores = tried.scores(length, left[side])
                best, left[side] = tried.best(length, scores), ranked(scores)
                require(best is not None, f"{KEY}.grid", f"none of the trials of the {side} ended; see their run.log")
                assert best
                ladder.append(best)
        return ladder

    def extended(self, tuned: list[Member]) -> list[Member]:
        """The best baseline that costs no more than the method's best, trained for as much, if that is longer."""
        attempt = partial(self.jobs.attempt, "a baseline of as much compute as the method")
        base, cost = affordable_baseline(tuned), leading(tuned, METHOD).cost
        longer = self.trials[BASELINE].extended(EXTENDED, base, cost, attempt)
        return [longer] if longer else []

    def _jobs(self, length: float, numbers: dict[str, list[int]]) -> list[Job]:
        """Trials of both sides, by number, on all tuning seeds."""
        return [job for side in SIDES for job in self.trials[side].jobs(length, numbers[side])]
