"""The final of an ask: what was chosen on paired seeds, look by look, and the controls of the winner."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sdrun.asks.clock import Clock
from sdrun.asks.deciding import Look, further
from sdrun.asks.declaration import PLAIN, Asked
from sdrun.asks.folder import AskFolder
from sdrun.asks.pairs import EQUAL, NOW, Pairs
from sdrun.asks.plan import FEWEST
from sdrun.asks.reading import finalists, pairs
from sdrun.asks.sides import Side
from sdrun.asks.tuning import EXTENDED
from sdrun.claims.members import TOLERANCE, from_json
from sdrun.settings.words import counted
from sdrun.sweeps.arms import Arms, Job


@dataclass(frozen=True)
class Arm:
    """``line``: its overrides; ``side``: from whose pretraining it starts, if that has one."""

    name: str
    line: list[str]
    side: Side

    def jobs(self, arms: Arms, seeds: Iterable[int]) -> list[Job]:
        return [(self.name, seed, [*self.line, *self.side.start(arms, seed)]) for seed in seeds]


class Final:
    """Of sides by name, whose members are chosen. ``seconds``: of a training of a member on tuning seeds, by name."""

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

    def run(self, is_added: bool) -> None:
        """``is_added``: whether time is new since the looks were planned. Raises OutOfTime."""
        lines = self._lines()
        self.folder.note(arms=[arm.name for arm in lines])
        if "looks" not in self.folder.content or is_added:
            self.folder.note(looks=[vars(look) for look in self._looks()])
        for look in [Look(**entry) for entry in self.folder.content["looks"]]:
            if self._state().is_decided:
                break
            self.tell("Paired", f"{counted(look.num, 'seed')} of {', '.join(arm.name for arm in lines)}")
            self.arms.make(job for arm in lines for job in arm.side.pretraining(range(look.num)))
            self.arms.make(job for arm in lines for job in arm.jobs(self.arms, range(look.num)))
            self.clock.note()
        state = self._state()
        if state.winner:
            self._control(state.winner, state.looks[-1].num)

    def _lines(self) -> list[Arm]:
        """The arms of every paired seed."""
        plain, best = self.sides[PLAIN], self.members[self.folder.content["plain"]]
        chosen = finalists(self.folder)
        arms = [Arm(PLAIN, best.overrides, plain)]
        if best.overrides != plain.line:
            arms.append(Arm(NOW, plain.line, plain))
        extended, most = self.members.get(EXTENDED), max(member.cost for member in chosen)
        if extended and best.name != EXTENDED and most > TOLERANCE * best.cost:
            arms.append(Arm(EQUAL, extended.overrides, plain))
        return [*arms, *(Arm(member.side, member.overrides, self.sides[member.side]) for member in chosen)]

    def _looks(self) -> list[Look]:
        """Those that were made, and those that there is time for, with what the fewest seeds of controls take left."""
        made = self._state().looks
        there, dearest = made[-1].num if made else 0, max(self.seconds.values())
        at_once = self.arms.making.at_once
        num_controls = max(len(self.sides[member.side].controls) for member in finalists(self.folder))
        room = self.clock.left - num_controls * FEWEST * dearest / at_once
        num = math.floor(max(0.0, room) * at_once / sum(self.seconds.values()))
        most = min(there + max(num, FEWEST), self.asked.most_seeds)
        return [*made, *(further(made, min(self.asked.seeds, most), most) if most > there else [])]

    def _control(self, winner: str, num_seeds: int) -> None:
        """The controls of the winner, on as many seeds as there is time for."""
        (member,) = [member for member in finalists(self.folder) if member.side == winner]
        side = self.sides[winner]
        arms = [Arm(f"{winner}_{name}", [*member.overrides, *more], side) for name, more in side.controls.items()]
        if not arms:
            return
        room = math.floor(self.clock.left * self.arms.making.at_once / (len(arms) * self.seconds[member.name]))
        num = self.folder.content.get("controls", {}).get(arms[0].name, min(num_seeds, room))
        if num < FEWEST:
            self.tell("Controls", f"do not run: there is no time for {FEWEST} seeds of each")
            return
        self.folder.note(controls=dict.fromkeys((arm.name for arm in arms), num))
        self.tell("Controls", f"{counted(num, 'seed')} of {', '.join(arm.name for arm in arms)}")
        self.arms.make(job for arm in arms for job in arm.jobs(self.arms, range(num)))

    def _state(self) -> Pairs:
        return pairs(self.folder, self.asked)
