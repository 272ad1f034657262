"""An answer to a contrast of two arms, look by look."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sdrun.claims.declaration import Contrast
from sdrun.comparison.differences import Difference, Outcome


@dataclass(frozen=True)
class Answer:
    """A contrast and what came out at the look that decided it, or at the last one that is whole.

    ``difference``: None before the first look is whole; its interval holds at all looks and beside all other answers of
    the same whole. ``margin``: below which a difference does not matter, None where that was not said of the metric.
    """

    contrast: Contrast
    difference: Difference | None
    margin: float | None

    @property
    def is_same(self) -> bool:
        """Whether the two are shown to differ by less than matters; seeds that all differ alike show nothing."""
        gap = self.difference
        return bool(gap and self.margin is not None and gap.paired.sd > 0 and gap.is_within(self.margin))

    @property
    def is_different(self) -> bool:
        """Whether they are shown to differ, and by what may matter."""
        return bool(self.difference and self.difference.paired.excludes_zero and not self.is_same)

    @property
    def is_decided(self) -> bool:
        return self.is_same or self.is_different

    @property
    def is_better(self) -> bool:
        return self.is_different and self.difference is not None and self.difference.outcome is Outcome.better


def answered(
    contrast: Contrast,
    margin: float | None,
    looks: Iterable[tuple[int, float]],
    difference: Callable[[int, float], Difference | None],
) -> Answer:
    """Look by look, until one decides. ``looks``: numbers of seeds, and the level of each; ``difference``: by both."""
    answer = Answer(contrast, None, margin)
    for number, level in looks:
        looked_at = difference(number, level)
        if looked_at is None or looked_at.paired.n < number or answer.is_decided:
            break
        answer = Answer(contrast, looked_at, margin)
    return answer
