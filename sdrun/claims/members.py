"""The members of a claim's two sides that are run on the paired seeds: the best at each length, and what it costs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sdrun.claims.declaration import BASELINE, EQUAL, METHOD
from sdrun.storage.shape import NUMBER, TEXT

TOLERANCE = 1.01
"""Times a budget that a member may cost, as it ends with a whole step."""

EXTENDED = "baseline_equal"
"""The baseline that is trained for as many multiply-adds as the method."""


MEMBER = {
    "name": TEXT,
    "side": TEXT,
    "length": NUMBER,
    "arm": TEXT,
    "overrides": [TEXT],
    "score": NUMBER,
    "cost": NUMBER,
    "tried": {...: NUMBER},
}
"""What a document holds of one."""


@dataclass(frozen=True)
class Member:
    """``length``: in multiples of the experiment's; ``arm``: the runs that it was chosen by.

    ``overrides``: of the side's own; ``score``: on the tuning seeds, the larger the better; ``cost``: multiply-adds;
    ``tried``: the metric of each trial of its length, by overrides.
    """

    name: str
    side: str
    length: float
    arm: str
    overrides: list[str]
    score: float
    cost: float
    tried: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(document: Mapping[str, Mapping[str, Any]]) -> list[Member]:
    names = [field.name for field in fields(Member)]
    return [Member(**{name: values[name] for name in names}) for values in document.values()]


def best(ladder: Iterable[Member], side: str, budget: float = float("inf")) -> Member | None:
    """The one of a side that scored best among those that cost no more than a budget; None where none does."""
    affordable = [member for member in ladder if member.side == side and member.cost <= TOLERANCE * budget]
    return max(affordable, key=lambda member: member.score, default=None)


def leading(ladder: Iterable[Member], side: str) -> Member:
    """The one of a side that scored best."""
    member = best(ladder, side)
    assert member is not None
    return member


def affordable_baseline(tuned: list[Member]) -> Member:
    """The best one for the multiply-adds of the method; the cheapest, where the method costs less than any."""
    base = best(tuned, BASELINE, leading(tuned, METHOD).cost)
    return base or min((member for member in tuned if member.side == BASELINE), key=lambda member: member.cost)


def chosen(tuned: list[Member], extended: list[Member]) -> dict[str, str]:
    """Names of the best of each side that was tuned, and of the best baseline for the multiply-adds of the method."""
    equal = max([affordable_baseline(tuned), *extended], key=lambda member: member.score)
    return {METHOD: leading(tuned, METHOD).name, BASELINE: leading(tuned, BASELINE).name, EQUAL: equal.name}
