"""The paired seeds of an ask: its arms, look by look, and what is asked of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sdrun.asks.deciding import PLAIN_LEVEL, Look, decided, helps
from sdrun.asks.declaration import PLAIN, Asked
from sdrun.claims.answers import Answer
from sdrun.claims.declaration import Contrast
from sdrun.comparison.differences import Difference, difference
from sdrun.judges.metric import Metric, lookup

NOW = "now"
"""The arm of plain training as the command line has it."""


def equal_arm(side: str) -> str:
    """The arm of plain training for as much compute as a side."""
    return f"{side}_equal"


@dataclass
class Pairs:
    """``numbers``: metrics by arm and paired seed, of runs that are there; ``looks``: those that were made;
    ``finalists``: names of candidates; ``controls``: how many seeds those of the winner are to have, by arm, None
    before any are begun.
    """

    asked: Asked
    declared: Mapping[str, Metric]
    numbers: Mapping[str, Mapping[int, Mapping[str, float]]]
    looks: list[Look]
    finalists: list[str]
    controls: Mapping[str, int] | None = None

    @property
    def metric(self) -> Metric:
        """The one that decides."""
        return lookup(self.asked.yardstick.metric, self.declared)

    @property
    def helps(self) -> dict[str, Answer]:
        """Whether each finalist is better than the best plain training."""
        level = helps(len(self.finalists))
        metric = self.asked.yardstick.metric
        return {name: self._decided(Contrast(name, PLAIN, metric), level) for name in self.finalists}

    @property
    def winner(self) -> str | None:
        """The finalist that is better by most; None where none is."""
        better = [name for name, answer in self.helps.items() if answer.is_better]
        return max(better, key=self.gain, default=None)

    @property
    def is_decided(self) -> bool:
        """Whether more seeds would tell nothing that decides: of a winner, whether it is better at equal compute."""
        if self.winner:
            at_equal = self.equal(self.winner)
            return at_equal is None or at_equal.is_decided
        return bool(self.looks) and not self.open

    def equal(self, winner: str) -> Answer | None:
        """Whether it is better than plain training for as much compute; None where that does not run as well."""
        if equal_arm(winner) not in self.numbers:
            return None
        return self._decided(
            Contrast(winner, equal_arm(winner), self.asked.yardstick.metric), helps(len(self.finalists))
        )

    @property
    def open(self) -> list[str]:
        """Finalists of which it is not decided yet."""
        return [name for name, answer in self.helps.items() if not answer.is_decided]

    @property
    def improved(self) -> Answer | None:
        """Whether the best plain training is better than what there is now; None where it is that."""
        if NOW not in self.numbers:
            return None
        return self._decided(Contrast(PLAIN, NOW, self.asked.yardstick.metric), PLAIN_LEVEL)

    def further(self, winner: str) -> dict[str, Answer]:
        """What is asked of a winner at equal compute, each question only while all before it speak for it.

        Controls are looked at once, where the winner was found, so they have the share of that look: it was found
        there because its own seeds were good.
        """
        yardstick, level = self.asked.yardstick, helps(len(self.finalists))
        at_equal, answers, share = self.equal(winner), dict[str, Answer](), self.looks[-1].share
        if self.controls is None or (at_equal and not at_equal.is_better):
            return {}
        for arm, num in self.controls.items():
            if not arm.startswith(f"{winner}_"):
                continue
            contrast = Contrast(winner, arm, yardstick.metric)
            gap = self.difference(contrast, share * level, num)
            answers[arm] = Answer(contrast, gap if gap and gap.paired.n == num else None, yardstick.margin)
            if not answers[arm].is_better:
                return answers
        beside = Contrast(winner, PLAIN, yardstick.beside)
        answers["beside"] = decided(beside, None, self.looks, level, self.difference)
        return answers

    def difference(self, contrast: Contrast, level: float, num: int) -> Difference | None:
        """Over the first ``num`` seeds that both sides have, which are two at least, or else None."""
        own, base = (self.values(side, contrast.metric, num) for side in (contrast.left, contrast.right))
        if len(own.keys() & base.keys()) < 2:
            return None
        return difference(lookup(contrast.metric, self.declared), own, base, level)

    def values(self, arm: str, metric: str, num: int) -> dict[int, float]:
        """Of an arm by seed, of the first ``num``."""
        runs = self.numbers.get(arm, {})
        return {seed: metrics[metric] for seed, metrics in sorted(runs.items()) if seed < num and metric in metrics}

    def _decided(self, contrast: Contrast, level: float) -> Answer:
        margin = self.asked.yardstick.margin
        return decided(contrast, margin, self.looks, level, self.difference)

    def gain(self, name: str) -> float:
        """The mean difference of a finalist, the larger the better."""
        gap = self.helps[name].difference
        sign = -1 if self.metric.is_better(1) is False else 1
        return sign * gap.paired.mean if gap else -math.inf
