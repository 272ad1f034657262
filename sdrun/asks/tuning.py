"""How the sides of an ask are tuned, and which of them come into the final."""

import math
import sys
from collections.abc import Callable

from sdrun.asks.declaration import PLAIN, Asked
from sdrun.asks.pairs import equal_arm
from sdrun.asks.plan import Plan, stages
from sdrun.asks.sides import Side
from sdrun.claims.members import TOLERANCE, Member
from sdrun.errors import RunError, require
from sdrun.settings.words import counted, parted
from sdrun.sweeps.arms import Arms, Job
from sdrun.sweeps.estimate import LENGTH


class Tuning:
    """Of a plan, for the sides by name, plain training among them."""

    def __init__(
        self, asked: Asked, plan: Plan, sides: dict[str, Side], arms: Arms, tell: Callable[[str, str], None]
    ) -> None:
        self.asked, self.plan, self.sides, self.arms, self.tell = asked, plan, sides, arms, tell
        self.choose_by = asked.yardstick.choose_by

    def tuned(self) -> list[Member]:
        """The best of each side at each length, as far as it came. Raises InputError where none of a side ended."""
        self._pretrain()
        members: list[Member] = []
        names = list(self.plan.candidates)
        trials = {name: self.sides[name].trials(self.plan.trials) for name in (PLAIN, *names)}
        left = {name: list(range(len(lines))) for name, lines in trials.items()}
        for num_sides, num, length in stages(len(names), self.plan.trials, self.plan.lengths, self.asked.halving):
            names = names[:num_sides]
            left = {name: left[name][:num] for name in (PLAIN, *names)}
            jobs = [job for name in left for job in self._jobs(name, length, left[name], trials[name])]
            self._attempt(f"{counted(len(jobs), 'run')} at length {length:g}", jobs)
            scores = {
                name: {number: self._score(self._arm(name, length, number)) for number in numbers}
                for name, numbers in left.items()
            }
            left = {name: sorted(tried, key=lambda n: tried[n], reverse=True) for name, tried in scores.items()}
            best = {name: scores[name][numbers[0]] for name, numbers in left.items()}
            members += [self._member(n, length, trials[n], scores[n]) for n in left if best[n] > -math.inf]
            names.sort(key=lambda name: best[name], reverse=True)
        is_any = any(member.side == PLAIN for member in members)
        require(is_any, "sdrun ask", "no trial of plain training ended; see their run.log")
        return members

    def extended(self, base: Member, to: Member) -> Member | None:
        """Plain training with the settings of ``base`` for as much compute as ``to``; None where it failed, or is not
        longer.
        """
        share = to.cost / base.cost
        if share <= TOLERANCE:
            return None
        plain, seeds, name = self.sides[PLAIN].line, self.plan.tuning_seeds, equal_arm(to.side)
        line = [word for word in base.overrides if parted(word)[0] not in LENGTH]
        line += self.arms.as_dear(plain, base.arm, seeds[0], base.length, share)
        arm = f"tuning/{name}"
        self._attempt(f"plain training for as much compute as {to.side}", [(arm, seed, line) for seed in seeds])
        if (score := self._score(arm)) == -math.inf:
            return None
        return Member(name, PLAIN, base.length * share, arm, line, score, self.arms.cost(arm, seeds), {})

    def seconds(self, member: Member) -> float:
        """Of a training as it took on tuning seeds, pretraining included."""
        arms = (member.arm, *self.sides[member.side].before)
        runs = [run for arm in arms for run in self.arms.whole(arm, self.plan.tuning_seeds)]
        return sum(float(run.summary["wall_seconds"]) for run in runs) / len(self.plan.tuning_seeds)

    def _pretrain(self) -> None:
        seeds = self.plan.tuning_seeds
        if jobs := [job for name in self.plan.candidates for job in self.sides[name].pretraining(seeds)]:
            self._attempt("what is started from", jobs)

    def _jobs(self, name: str, length: float, numbers: list[int], trials: list[list[str]]) -> list[Job]:
        side = self.sides[name]
        lines = {number: [*side.line, *trials[number], *self._longer(side, length)] for number in numbers}
        return [
            (self._arm(name, length, number), seed, [*line, *side.start(self.arms, seed)])
            for number, line in lines.items()
            for seed in self.plan.tuning_seeds
        ]

    def _member(self, name: str, length: float, trials: list[list[str]], scores: dict[int, float]) -> Member:
        """The best of those trials."""
        number = max(scores, key=lambda number: scores[number])
        side, arm, seeds = self.sides[name], self._arm(name, length, number), self.plan.tuning_seeds
        cost = sum(self.arms.cost(each, seeds) for each in (arm, *side.before))
        sign = self.arms.sign(arm, seeds, self.choose_by)
        tried = {" ".join(trials[other]): sign * score for other, score in scores.items() if score > -math.inf}
        line = [*side.line, *trials[number], *self._longer(side, length)]
        return Member(f"{name}_x{length:g}", name, length, arm, line, scores[number], cost, tried)

    def _longer(self, side: Side, length: float) -> list[str]:
        return [] if length == 1 else self.arms.longer(side.line, length)

    def _arm(self, name: str, length: float, number: int) -> str:
        return f"tuning/{name}_x{length:g}_{number:02d}"

    def _score(self, arm: str) -> float:
        return self.arms.score(arm, self.plan.tuning_seeds, self.choose_by, "--goal")

    def _attempt(self, what: str, jobs: list[Job]) -> None:
        """Make them; one that fails, such as by too high a learning rate, ends nothing."""
        self.tell("Tuning", what)
        try:
            self.arms.make(jobs)
        except RunError as error:
            print(f"{str(error).splitlines()[0]}; what failed counts as the worst", file=sys.stderr)
