"""The final of an ask: what was chosen on paired seeds, look by look, and the controls of the winner."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sdrun.asks.clock import Clock
from sdrun.asks.deciding import Look, further
from sdrun.asks.declaration import PLAIN, Asked
from sdrun.asks.folder import AskFolder
from sdrun.asks.pairs import NOW, Pairs, equal_arm
from sdrun.asks.plan import FEWEST
from sdrun.asks.reading import finalists, pairs
from sdrun.asks.sides import Side
from sdrun.claims.members import TOLERANCE, from_json
from sdrun.settings.words import counted
from sdrun.sweeps.arms import Arms, Job


@dataclass(frozen=True)
class Arm:
    """``overrides``: what it adds to those of its ``side``, from whose pretraining it starts, if that has one."""

    name: str
    overrides: list[str]
    side: Side

    def jobs(self, arms: Arms, seeds: Iterable[int]) -> list[Job]:
        return [(self.name, seed, [*self.side.line, *self.overrides, *self.side.start(arms, seed)]) for seed in seeds]


class Final:
    """Of sides by name, whose members are chosen. ``seconds``: of a training of each arm, by those on tuning seeds."""

    def __init__(
        self,
        asked: Asked,
        folder: AskFolder,
        sides: dict[str, Side],
        seconds: dict[str, float],
        arms: Arms,
        clock: Clock,
        tell: Callable[[str, str], None],
    ) -> None:
        self.asked, self.folder, self.sides, self.arms = asked, folder, sides, arms
        self.clock, self.tell, self.seconds = clock, tell, seconds
        self.members = {member.name: member for member in from_json(folder.content["members"])}

    def run(self) -> None:
        """Raises OutOfTime, and RunError where a run fails."""
        lines = self._lines()
        self.folder.note(arms=[arm.name for arm in lines])
        num_grants = len(self.folder.content["grants"])
        if self.folder.content.get("planned_for", 0) < num_grants:
            self.folder.note(looks=[vars(look) for look in self._looks(lines)], planned_for=num_grants)
        for look in [Look(**entry) for entry in self.folder.content["looks"]]:
            if self._state().is_decided:
                break
            self.tell("Paired", f"{counted(look.num, 'seed')} of {', '.join(arm.name for arm in lines)}")
            self.arms.make(job for arm in lines for job in arm.side.pretraining(range(look.num)))
            self.arms.make(job for arm in lines for job in arm.jobs(self.arms, range(look.num)))
            self.clock.note()
        state = self._state()
        at_equal = state.equal(state.winner) if state.winner else None
        if state.winner and (at_equal is None or at_equal.is_better):
            self._control(state.winner, state.looks[-1].num)

    def _lines(self) -> list[Arm]:
        """The arms of every paired seed."""
        plain, best = self.sides[PLAIN], self.members[self.folder.content["plain"]]
        chosen = finalists(self.folder)
        arms = [Arm(PLAIN, best.overrides, plain)]
        if best.overrides:
            arms.append(Arm(NOW, [], plain))
        for member in chosen:
            as_dear = self.members.get(equal_arm(member.side))
            if as_dear and as_dear.name != best.name and member.cost > TOLERANCE * best.cost:
                arms.append(Arm(as_dear.name, as_dear.overrides, plain))
        return [*arms, *(Arm(member.side, member.overrides, self.sides[member.side]) for member in chosen)]

    def _looks(self, lines: list[Arm]) -> list[Look]:
        """Those that were made, and those that there is time for, with what the fewest seeds of controls take left."""
        made = self._state().looks
        there, at_once = made[-1].num if made else 0, self.arms.making.at_once
        num_controls = max(len(arm.side.controls) for arm in lines)
        room = self.clock.left - num_controls * FEWEST * max(self.seconds.values()) / at_once
        num = math.floor(max(0.0, room) * at_once / sum(self.seconds[arm.name] for arm in lines))
        most = min(there + max(num, FEWEST), self.asked.most_seeds)
        return [*made, *(further(made, min(self.asked.seeds, most), most) if most > there else [])]

    def _control(self, winner: str, num_seeds: int) -> None:
        """The controls of the winner, on as many seeds as there is time for."""
        (member,) = [member for member in finalists(self.folder) if member.side == winner]
        side = self.sides[winner]
        arms = [Arm(f"{winner}_{name}", [*member.overrides, *more], side) for name, more in side.controls.items()]
        if not arms:
            self.folder.note(controls={})
            return
        room = math.floor(self.clock.left * self.arms.making.at_once / (len(arms) * self.seconds[winner]))
        num = (self.folder.content.get("controls") or {}).get(arms[0].name, min(num_seeds, room))
        if num < FEWEST:
            self.tell("Controls", f"do not run: there is no time for {FEWEST} seeds of each")
            return
        self.folder.note(controls=dict.fromkeys((arm.name for arm in arms), num))
        self.tell("Controls", f"{counted(num, 'seed')} of {', '.join(arm.name for arm in arms)}")
        self.arms.make(job for arm in arms for job in arm.jobs(self.arms, range(num)))

    def _state(self) -> Pairs:
        return pairs(self.folder, self.asked)
