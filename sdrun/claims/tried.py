"""The trials of one side at each length, the best of them, and one that is trained for as much compute as another."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sdrun.claims.members import TOLERANCE, Member
from sdrun.errors import RunError
from sdrun.settings.words import parted
from sdrun.sweeps.arms import Arms, Job
from sdrun.sweeps.estimate import LENGTH


@dataclass(frozen=True)
class Yard:
    """Where trials run, on which ``seeds``, and the metric that they are chosen by; ``key``: of the setting of that."""

    arms: Arms
    seeds: list[int]
    choose_by: str
    key: str


@dataclass(frozen=True)
class Trials:
    """``line``: overrides of the side ``name``; ``lines``: further ones of each trial, which is known by its number.

    ``longer``: overrides of a length; ``before``: arms of runs that it starts from, and ``start`` the overrides by
    which it does, by the seed.
    """

    yard: Yard
    name: str
    line: list[str]
    lines: list[list[str]]
    longer: Callable[[float], list[str]]
    before: list[str]
    start: Callable[[int], list[str]]

    def jobs(self, length: float, numbers: list[int]) -> list[Job]:
        """Of those trials on all seeds."""
        return [job for n in numbers for job in self._on_seeds(self._arm(length, n), self._overrides(length, n))]

    def scores(self, length: float, numbers: list[int]) -> dict[int, float]:
        """By the number; the larger the better, and of one that failed it is minus infinity."""
        return {number: self._score(self._arm(length, number)) for number in numbers}

    def best(self, length: float, scores: dict[int, float]) -> Member | None:
        """The one with the best of these scores; None where no trial ended."""
        number, *_ = ranked(scores)
        if scores[number] == -math.inf:
            return None
        yard, arm = self.yard, self._arm(length, number)
        sign = yard.arms.sign(arm, yard.seeds, yard.choose_by)
        tried = {" ".join(self.lines[n]): sign * score for n, score in scores.items() if score > -math.inf}
        line, name = self._overrides(length, number), f"{self.name}_x{length:g}"
        return Member(name, self.name, length, arm, line, scores[number], self._cost(arm), tried)

    def extended(self, name: str, base: Member, cost: float, attempt: Callable[[list[Job]], None]) -> Member | None:
        """``base``, which is of this side, trained for so many multiply-adds; None where it failed, or costs as much.

        ``attempt`` makes its runs.
        """
        share, yard, arm = cost / base.cost, self.yard, f"tuning/{name}"
        if share <= TOLERANCE:
            return None
        line = [word for word in base.overrides if parted(word)[0] not in LENGTH]
        line += yard.arms.as_dear(self.line, base.arm, yard.seeds[0], base.length, share)
        attempt(self._on_seeds(arm, line))
        if (score := self._score(arm)) == -math.inf:
            return None
        return Member(name, self.name, base.length * share, arm, line, score, self._cost(arm), {})

    def _overrides(self, length: float, number: int) -> list[str]:
        return [*self.lines[number], *self.longer(length)]

    def _on_seeds(self, arm: str, overrides: list[str]) -> list[Job]:
        return [(arm, seed, [*self.line, *overrides, *self.start(seed)]) for seed in self.yard.seeds]

    def _arm(self, length: float, number: int) -> str:
        return f"tuning/{self.name}_x{length:g}_{number:02d}"

    def _score(self, arm: str) -> float:
        return self.yard.arms.score(arm, self.yard.seeds, self.yard.choose_by, self.yard.key)

    def _cost(self, arm: str) -> float:
        """Multiply-adds of a training, of what it starts from as well, mean over seeds."""
        return sum(self.yard.arms.cost(each, self.yard.seeds) for each in (arm, *self.before))


def ranked(scores: dict[int, float]) -> list[int]:
    """Numbers of trials, the best first."""
    return sorted(scores, key=lambda number: scores[number], reverse=True)


@contextmanager
def forgiven() -> Iterator[None]:
    """A trial that fails, such as by too high a learning rate, ends nothing."""
    try:
        yield
    except RunError as error:
        print(f"{str(error).splitlines()[0]}; what failed counts as the worst", file=sys.stderr)
