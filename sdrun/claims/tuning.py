"""How both sides of a claim are tuned: as many trials each, of which the best go on from length to length."""

import math

from sdrun.claims.declaration import BASELINE, METHOD, SIDES
from sdrun.claims.jobs import Jobs
from sdrun.claims.members import EXTENDED, TOLERANCE, Member, affordable_baseline, leading
from sdrun.claims.trials import rungs, trials
from sdrun.errors import require
from sdrun.settings.words import parted
from sdrun.sweeps.arms import Job
from sdrun.sweeps.declared import KEY
from sdrun.sweeps.estimate import LENGTH


class Tuning:
    """The trials of a claim. Those of a side are known by their numbers."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs, self.claim = jobs, jobs.claim
        self.trials = {side: trials(self.claim, side) for side in SIDES}

    def require_settings(self, controls: list[list[str]]) -> None:
        """Raise InputError where a trial, or one of the method under a control, has settings that do not suit it."""
        for side in SIDES:
            for line in self.trials[side]:
                for further in ([], *(controls if side == METHOD else ())):
                    self.jobs.arms.require_settings(self.jobs.of_side(side, [*line, *further]))

    def show(self) -> None:
        """Say what is made first, and how long that and the rest takes."""
        first = self._jobs(0, {side: list(range(self.claim.trials)) for side in SIDES})
        self.jobs.show("the first runs", [*self.jobs.pretraining(self.claim.tuning_seeds), *first])

    def tuned(self) -> list[Member]:
        """The best of each side at each length. Raises InputError where none of a side ended."""
        self.jobs.pretrain(self.claim.tuning_seeds)
        ladder = []
        left = {side: list(range(self.claim.trials)) for side in SIDES}
        for place, num in enumerate(rungs(self.claim)):
            left = {side: numbers[:num] for side, numbers in left.items()}
            self.jobs.attempt(f"tuning at length {self.claim.lengths[place]:g}", self._jobs(place, left))
            for side in SIDES:
                scores = self._scores(side, place, left[side])
                left[side] = sorted(scores, key=lambda number: scores[number], reverse=True)
                ladder.append(self._member(side, place, scores))
        return ladder

    def extended(self, tuned: list[Member]) -> list[Member]:
        """The best baseline that costs no more than the method's best, trained for as much, if that is longer."""
        base = affordable_baseline(tuned)
        share = leading(tuned, METHOD).cost / base.cost
        if share <= TOLERANCE:
            return []
        line = [word for word in base.overrides if parted(word)[0] not in LENGTH]
        plain, seed = self.jobs.of_side(BASELINE), self.claim.tuning_seeds[0]
        line += self.jobs.arms.as_dear(plain, base.arm, seed, base.length, share)
        arm = f"tuning/{EXTENDED}"
        jobs = [(arm, seed, self.jobs.of_side(BASELINE, line)) for seed in self.claim.tuning_seeds]
        self.jobs.attempt("a baseline of as much compute as the method", jobs)
        if (score := self.jobs.score(arm)) == -math.inf:
            return []
        return [Member(EXTENDED, BASELINE, base.length * share, arm, line, score, self.jobs.cost(BASELINE, arm), {})]

    def _jobs(self, place: int, numbers: dict[str, list[int]]) -> list[Job]:
        """Trials of both sides at the length number ``place``, on all tuning seeds."""
        jobs: list[Job] = []
        for side in SIDES:
            longer = self.jobs.longer(side, self.claim.lengths[place])
            for number in numbers[side]:
                line = self.jobs.of_side(side, [*self.trials[side][number], *longer])
                arm = self._arm(side, place, number)
                jobs += [(arm, seed, [*line, *self.jobs.initial(side, seed)]) for seed in self.claim.tuning_seeds]
        return jobs

    def _member(self, side: str, place: int, scores: dict[int, float]) -> Member:
        """The best of those trials."""
        best, length = max(scores, key=lambda number: scores[number]), self.claim.lengths[place]
        arm, ended = self._arm(side, place, best), {number: s for number, s in scores.items() if s > -math.inf}
        require(bool(ended), f"{KEY}.grid", f"none of the trials of the {side} ended; see their run.log")
        sign = self.jobs.arms.sign(arm, self.claim.tuning_seeds, self.claim.choose_by)
        tried = {" ".join(self.trials[side][number]): sign * score for number, score in ended.items()}
        line = [*self.trials[side][best], *self.jobs.longer(side, length)]
        return Member(f"{side}_x{length:g}", side, length, arm, line, scores[best], self.jobs.cost(side, arm), tried)

    def _arm(self, side: str, place: int, number: int) -> str:
        return f"tuning/{side}_x{self.claim.lengths[place]:g}_{number:02d}"

    def _scores(self, side: str, place: int, numbers: list[int]) -> dict[int, float]:
        return {number: self.jobs.score(self._arm(side, place, number)) for number in numbers}
