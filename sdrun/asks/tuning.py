"""How the sides of an ask are tuned: of methods, as of the trials of each, the better ones go on."""

from collections.abc import Callable
from functools import partial

from sdrun.asks.declaration import PLAIN, Asked
from sdrun.asks.pairs import equal_arm
from sdrun.asks.plan import Plan, stages
from sdrun.asks.sides import Side
from sdrun.claims.members import Member
from sdrun.claims.tried import Trials, Yard, forgiven, ranked
from sdrun.errors import require
from sdrun.settings.words import counted
from sdrun.sweeps.arms import Arms, Job


class Tuning:
    """Of a plan, for the sides by name, plain training among them."""

    def __init__(
        self, asked: Asked, plan: Plan, sides: dict[str, Side], arms: Arms, tell: Callable[[str, str], None]
    ) -> None:
        self.asked, self.plan, self.sides, self.arms, self.tell = asked, plan, sides, arms, tell
        yard = Yard(arms, plan.tuning_seeds, asked.yardstick.choose_by, "--goal")
        self.trials = {
            name: Trials(
                yard,
                name,
                side.line,
                side.trials(plan.trials),
                partial(self._longer, side),
                side.before,
                partial(side.start, arms),
            )
            for name, side in sides.items()
        }

    def tuned(self) -> list[Member]:
        """The best of each side at each length, as far as it came. Raises InputError where no plain training ended."""
        names, seeds = list(self.plan.candidates), self.plan.tuning_seeds
        if starts := [job for name in names for job in self.sides[name].pretraining(seeds)]:
            self._attempt("what is started from", starts)
        members: list[Member] = []
        left = {name: list(range(len(self.trials[name].lines))) for name in (PLAIN, *names)}
        for num_sides, num, length in stages(len(names), self.plan.trials, self.plan.lengths, self.asked.halving):
            names = names[:num_sides]
            left = {name: left[name][:num] for name in (PLAIN, *names)}
            jobs = [job for name, numbers in left.items() for job in self.trials[name].jobs(length, numbers)]
            self._attempt(f"{counted(len(jobs), 'run')} at length {length:g}", jobs)
            scores = {name: self.trials[name].scores(length, numbers) for name, numbers in left.items()}
            left = {name: ranked(tried) for name, tried in scores.items()}
            best = [self.trials[name].best(length, tried) for name, tried in scores.items()]
            members += [member for member in best if member]
            names.sort(key=lambda name: max(scores[name].values()), reverse=True)
        is_any = any(member.side == PLAIN for member in members)
        require(is_any, "sdrun ask", "no trial of plain training ended; see their run.log")
        return members

    def extended(self, base: Member, to: Member) -> Member | None:
        """Plain training with the settings of ``base`` for as much compute as ``to``; None where it failed, or is not
        longer.
        """
        attempt = partial(self._attempt, f"plain training for as much compute as {to.side}")
        return self.trials[PLAIN].extended(equal_arm(to.side), base, to.cost, attempt)

    def seconds(self, member: Member) -> float:
        """Of a training as it took on tuning seeds, pretraining included."""
        arms = (member.arm, *self.sides[member.side].before)
        runs = [run for arm in arms for run in self.arms.whole(arm, self.plan.tuning_seeds)]
        return sum(float(run.summary["wall_seconds"]) for run in runs) / len(self.plan.tuning_seeds)

    def _longer(self, side: Side, length: float) -> list[str]:
        """Nothing at the length of the command line, whose words say it."""
        return [] if length == 1 else self.arms.longer(side.line, length)

    def _attempt(self, what: str, jobs: list[Job]) -> None:
        self.tell("Tuning", what)
        with forgiven():
            self.arms.make(jobs)
