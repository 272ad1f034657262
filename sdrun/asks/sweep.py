"""An ask from its first look to its answer, within a budget.

Everything that is decided on the way is written into ``ask.json`` before it is acted on, so that an ask that was killed
goes on to the same answer.
"""

from pathlib import Path

from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from sdrun.asks import sight
from sdrun.asks.clock import Clock, changed
from sdrun.asks.declaration import PLAIN, Asked, asked
from sdrun.asks.final import Final
from sdrun.asks.folder import AskFolder
from sdrun.asks.goals import Goal
from sdrun.asks.measuring import measured
from sdrun.asks.outcome import tell_answer
from sdrun.asks.pairs import NOW, equal_arm
from sdrun.asks.plan import FEWEST, Plan, least, planned
from sdrun.asks.reading import pairs
from sdrun.asks.sides import Side, plain, side
from sdrun.asks.sight import Sight
from sdrun.asks.tuning import Tuning
from sdrun.asks.words import plan_lines
from sdrun.claims.members import TOLERANCE, from_json
from sdrun.configuration import settings_from
from sdrun.errors import InputError, OutOfTime, RunError, require
from sdrun.settings.words import printable, roughly
from sdrun.storage.sweeps import job_held
from sdrun.sweeps.arms import Arms, validation
from sdrun.sweeps.declared import KEY
from sdrun.sweeps.making import Making
from sdrun.telling import tell

UNDECLARED = ("_target_", "budget", "resumes", "dry_run", "reuse")
"""What stands beside what is asked."""

MANY = 8
"""Paired seeds that two finalists have at least, or there is one."""


class Sweep:
    """Makes the runs of an ask, each once."""

    def __init__(self, context: HydraContext, config: DictConfig, launcher: Launcher) -> None:
        node = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
        assert isinstance(node, dict)
        self.asked: Asked = asked({str(key): value for key, value in node.items() if key not in UNDECLARED})
        path = Path(config.hydra.sweep.dir)
        before = changed(path)
        self.making = Making(context, config, launcher, is_new=not node["resumes"])
        self.folder = AskFolder.begin(path, self.asked)
        budget = [float(node["budget"])] if node["budget"] else []
        grants = [*self.folder.content["grants"], *budget]
        require(bool(grants), "--budget", "is missing; say how much time there is, such as --budget 2h")
        self.folder.content |= {"grants": grants, "asked": self.asked.to_json()}
        self.console, self.clock = Console(highlight=False, soft_wrap=True), Clock(self.folder, before)

    def run(self, common: list[str]) -> None:
        """``common``: overrides of the command line, for every run; those of a side win.

        Raises InputError where settings do not suit each other or the budget does not suffice, and RunError where a run
        on paired seeds fails.
        """
        if self.making.is_dry:
            self._ask(common)
            return
        with job_held(self.folder.path, "ask"):
            self.clock.note()
            self._ask(common)

    def _ask(self, common: list[str]) -> None:
        held_out = validation(
            self.making, common, list(self.asked.yardstick.baseline), self.asked.val_size, f"{KEY}.val_size"
        )
        self.arms = Arms(self.making, ["pictures=false", *common, *held_out])
        self.making.limit(self.clock.until)
        failure: RunError | None = None
        try:
            plan = self._plan()
            if self.making.is_dry:
                return
            self._finish(plan)
        except RunError as error:
            failure = error
        except OutOfTime:
            self._tell("Time", "is up; what ran is saved")
            if "looks" in self.folder.content:
                made = pairs(self.folder, self.asked, is_over=True).looks
                self.folder.note(looks=[vars(look) for look in made])
        finally:
            if not self.making.is_dry:
                self.clock.note()
        tell_answer(self.folder, self.asked, self.console)
        if failure:
            raise failure

    def _plan(self) -> Plan:
        """What was planned, or is now."""
        self.sides: dict[str, Side] = {PLAIN: plain(self.asked, self.arms)}
        if "plan" not in self.folder.content:
            seen, plan = self._look()
            if not self.making.is_dry:
                self.folder.note(sight=seen.to_json(), plan=plan.to_json())
            return plan
        plan = Plan(**self.folder.content["plan"])
        self.sides |= {name: side(self.asked, name, self.arms) for name in plan.candidates}
        if self.making.is_dry:
            self._tell_plan(plan, sight.from_json(self.folder.content["sight"]))
        return plan

    def _look(self) -> tuple[Sight, Plan]:
        """Say what is there, and what is to be done about it.

        Raises InputError where nothing can be asked of it, or where the budget does not suffice for any plan.
        """
        settings = settings_from(self.making.compositions.config([*self.arms.common, *self.sides[PLAIN].line]))
        seen = sight.seen(settings)
        has_more = self.asked.goal is not Goal.labels or seen.num_labelled < seen.num
        others = "needs items without a label beside those with one; hide some by dataset.num_labels=N"
        require(has_more, "--goal", f"labels {others}, or leave it out")
        left_out = self._choose(seen)
        timing = measured(self.sides, self.arms, self.asked.yardstick.choose_by, self.clock.until)
        for name, why in timing.lacking.items():
            require(not self.asked.compare, "--compare", f"{name} {why}")
        left_out |= timing.lacking
        seen = seen.at_pace(timing.alone, timing.together, self.making.at_once)
        for line in seen.lines():
            self._tell("Saw", line)
        names = [name for name in timing.pace.seconds if name != PLAIN]
        require(bool(names), "--compare", f"leaves no method: {'; '.join(f'{n}: {w}' for n, w in left_out.items())}")
        plan = planned(self.asked, names, left_out, timing.pace, self.clock.left)
        if plan is None:
            needed = least(self.asked, names, timing.pace) + self.clock.spent
            few = f"{FEWEST} paired seeds of plain training and one method"
            raise InputError(f"--budget: is too small for {few}; give it {roughly(1.1 * needed)} at least")
        self._tell_plan(plan, seen)
        return seen, plan

    def _choose(self, seen: Sight) -> dict[str, str]:
        """Make the sides of candidates that come into question. Returns the others, with the reason."""
        situations, goal = seen.situations, self.asked.yardstick.situations
        left_out: dict[str, str] = {}
        for name in self.asked.compare or self.asked.candidates:
            candidate = self.asked.candidate(name)
            if not self.asked.compare and not candidate.suits(set(goal or situations)):
                left_out[name] = "for " + " or ".join(candidate.situations).replace("_", " ")
                continue
            try:
                self.sides[name] = side(self.asked, name, self.arms)
            except InputError as error:
                require(not self.asked.compare, "--compare", f"{name}: {error}")
                left_out[name] = str(error)
        return left_out

    def _finish(self, plan: Plan) -> None:
        """Tune, and let what was chosen run on paired seeds."""
        tuning = Tuning(self.asked, plan, self.sides, self.arms, self._tell)
        if "members" not in self.folder.content:
            self._choose_finalists(plan, tuning)
        members = {member.name: member for member in from_json(self.folder.content["members"])}
        seconds = {PLAIN: tuning.seconds(members[self.folder.content["plain"]]), NOW: plan.seconds[PLAIN]}
        for name in self.folder.content["finalists"]:
            side = members[name].side
            as_dear = members.get(equal_arm(side))
            seconds |= {side: tuning.seconds(members[name])}
            seconds |= {as_dear.name: tuning.seconds(as_dear)} if as_dear else {}
        Final(self.asked, self.folder, self.sides, seconds, self.arms, self.clock, self._tell).run()

    def _choose_finalists(self, plan: Plan, tuning: Tuning) -> None:
        """Who comes into the final is written down before plain training is tried for as much compute as these."""
        tuned = tuning.tuned()
        if "finalists" not in self.folder.content:
            best = {member.side: member for member in sorted(tuned, key=lambda one: one.score) if member.side != PLAIN}
            require(bool(best), "sdrun ask", "no trial of any method ended; see their run.log")
            ranked = sorted(best.values(), key=lambda member: member.score, reverse=True)
            num = 2 if self.clock.left > MANY * (plan.pair + plan.pair / 2) else 1
            self.folder.note(finalists=[member.name for member in ranked[:num]])
        members = {member.name: member for member in tuned}
        plains = [member for member in tuned if member.side == PLAIN]
        for name in self.folder.content["finalists"]:
            affordable = [member for member in plains if member.cost <= TOLERANCE * members[name].cost] or plains[:1]
            if extended := tuning.extended(max(affordable, key=lambda member: member.score), members[name]):
                members[extended.name] = extended
        every = [member for member in members.values() if member.side == PLAIN]
        self.folder.note(
            plain=max(every, key=lambda member: (member.score, member.cost)).name,
            members={name: member.to_json() for name, member in members.items()},
        )

    def _tell_plan(self, plan: Plan, seen: Sight) -> None:
        for line in plan_lines(self.asked, plan, seen):
            self._tell("Plan", line)

    def _tell(self, title: str, text: str) -> None:
        tell(self.console, title, printable(text))
