"""A difference in plain English."""

from collections.abc import Mapping

from sdrun.comparison.differences import Difference, Outcome
from sdrun.comparison.groups import SOURCES
from sdrun.comparison.runs import LARGEST, Run
from sdrun.comparison.statistics import LEVEL, Items
from sdrun.judges.metric import PERCENT, Better, Metric

MOST_DIGITS = 9
"""Behind the point, where two bounds can hardly be told apart."""


def sentence(
    own: str,
    base: str,
    difference: Difference,
    *,
    title: str = "",
    price: float | None = None,
    margin: float | None = None,
    plans: bool = True,
) -> str:
    """What the interval of a difference says of ``own`` and its baseline ``base``, without a full stop.

    ``title``: in place of the metric's; ``price``: how many times the baseline's training is spent; ``margin``: a
    difference closer to 0 than this was declared not to matter; ``plans``: whether seeds that would be needed are said.

    >>> from sdrun.comparison.differences import difference
    >>> accuracy = Metric("accuracy", Better.higher, "%", "accuracy")
    >>> gain = difference(accuracy, {0: 0.83, 1: 0.85, 2: 0.84}, {0: 0.80, 1: 0.82, 2: 0.80})
    >>> sentence("born_again", "supervised", gain, price=5.0)
    'born_again is better than supervised by 1.9 to 4.8 points of accuracy, 3 seeds; it costs 5.0 times the compute'
    """
    amounts = _Amounts(difference.metric, title or difference.metric.title or difference.metric.name)
    if margin is not None and difference.is_within(margin) and difference.outcome is not Outcome.equal:
        clause = _immaterial(own, base, difference, amounts, margin)
    elif difference.outcome is Outcome.equal:
        clause = f"{own} and {base} have the same {amounts.title} in all {difference.paired.n} seeds"
    elif difference.outcome is Outcome.undecided:
        clause = _undecided(own, base, difference, amounts, plans)
    else:
        clause = f"{_decided(own, base, difference, amounts)}, {difference.paired.n} seeds"
    return clause + ("" if price is None else f"; {_cost(price)}")


def item_sentence(own: str, base: str, metric: Metric, gain: float, items: Items | None, num_tests: int) -> str:
    """What one run says against one other, of the same items where their predictions tell, without a full stop.

    ``num_tests``: sentences of this kind that are to hold together, for which p is corrected (Bonferroni).

    >>> from sdrun.comparison.statistics import Items
    >>> accuracy = Metric("accuracy", Better.higher, "%", "accuracy")
    >>> item_sentence("generation_2", "generation_0", accuracy, 0.0083, Items(360, 9, 6, 0.61, -0.02, 0.03), 1)
    'generation_2 is 0.8 points of accuracy above generation_0 on 360 test items: within their noise (McNemar p 0.61)'
    """
    amounts = _Amounts(metric, metric.title or metric.name)
    side = "above" if gain > 0 else "below"
    amount = f"{amounts.span(abs(gain), abs(gain))}{amounts.of} {side}" if gain else f"equal in {amounts.title} to"
    if items is None:
        return f"{own} is {amount} {base}, by one run"
    p = min(1.0, num_tests * items.p)
    noise = "within their noise" if p > LEVEL else "more than their noise"
    corrected = f", corrected for {num_tests}" if num_tests > 1 else ""
    return f"{own} is {amount} {base} on {items.n:,} test items: {noise} (McNemar p {short_p(p)}{corrected})"


def short_p(p: float) -> str:
    """With as many digits as a sentence needs.

    >>> short_p(0.4512), short_p(0.0312), short_p(1e-7)
    ('0.45', '0.031', '< 0.0001')
    """
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}" if p < 0.995 else "1"


def price(own: Mapping[int, Run], base: Mapping[int, Run]) -> float | None:
    """Multiply-adds of training over those of the baseline, means over seeds.

    None where runs do not say, or take another run's network, whose training would have to be added.
    """
    mine, other = _multiply_adds(own), _multiply_adds(base)
    return mine / other if mine and other else None


def _multiply_adds(runs: Mapping[int, Run]) -> float | None:
    amounts = [run.summary.get("compute", {}).get("multiply_adds", 0) for run in runs.values()]
    is_whole = not any(run.settings.get(key) for run in runs.values() for key in SOURCES)
    is_told = bool(amounts) and all(0 < amount <= LARGEST for amount in amounts)
    return sum(amounts) / len(amounts) if is_whole and is_told else None


class _Amounts:
    """How amounts of a metric are written: shares in points."""

    def __init__(self, metric: Metric, title: str) -> None:
        self.title = title
        self.scale, self.fewest = (100, 1) if metric.unit == PERCENT else (1, 2)
        unit = "points" if metric.unit == PERCENT else metric.unit
        self.unit = f" {unit}" if unit else ""
        self.of = f"{self.unit} of {title}" if unit else f" in {title}"

    def span(self, low: float, high: float, signed: bool = False) -> str:
        """``0.9 to 1.6``, with as many digits as keep both from 0 and apart; one number where they are the same."""
        bounds = [self.scale * low, self.scale * high]
        for digits in range(self.fewest, MOST_DIGITS):
            texts = [f"{bound:{'+' if signed else ''}.{digits}f}" for bound in bounds]
            are_told = texts[0] != texts[1] or low == high
            if are_told and all(float(text) != 0 or bound == 0 for text, bound in zip(texts, bounds, strict=True)):
                break
        return texts[0] if low == high else " to ".join(texts)


def _decided(own: str, base: str, difference: Difference, amounts: _Amounts) -> str:
    low, high = sorted((abs(difference.paired.low), abs(difference.paired.high)))
    amount = amounts.span(low, high)
    outcome, metric = difference.outcome, difference.metric
    is_better = outcome in (Outcome.better, Outcome.worse)
    if is_better and metric.better is Better.higher and metric.unit == PERCENT:
        return f"{own} is {outcome.value} than {base} by {amount}{amounts.of}"
    side = "higher" if difference.paired.mean > 0 else "lower"
    start = f"{own} is {outcome.value} than {base}" if is_better else f"{own} differs from {base}"
    return f"{start}: {amounts.title} is {side} by {amount}{amounts.unit}"


def _undecided(own: str, base: str, difference: Difference, amounts: _Amounts, plans: bool) -> str:
    pairs = difference.paired
    start = f"{own} cannot be told from {base}"
    if pairs.sd == 0:
        amount = amounts.span(pairs.mean, pairs.mean, signed=True)
        return f"{start}: {amount}{amounts.of} in each of {pairs.n} seeds; a few more would do"
    more = f"; {difference.enough}" if plans else ""
    return f"{start}: {amounts.span(pairs.low, pairs.high, signed=True)}{amounts.of}, {pairs.n} seeds{more}"


def _immaterial(own: str, base: str, difference: Difference, amounts: _Amounts, margin: float) -> str:
    pairs = difference.paired
    span, most = amounts.span(pairs.low, pairs.high, signed=True), amounts.span(margin, margin)
    return (
        f"{own} differs from {base} by less than {most}{amounts.of} ({span}, {pairs.n} seeds), "
        "which was declared not to matter"
    )


def _cost(price: float) -> str:
    times = f"{price:.1f}" if price >= 1.05 else f"{price:.2f}" if price >= 0.1 else f"{price:.1g}"
    return "it costs as much compute" if times == "1.00" else f"it costs {times} times the compute"
