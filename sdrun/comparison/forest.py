"""Differences as rows of a picture: means with their intervals, and each seed as a dot."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from sdrun.comparison.charts import INK, svg
from sdrun.comparison.compare import Comparison
from sdrun.comparison.differences import Difference, Outcome
from sdrun.comparison.statistics import LEVEL, Items
from sdrun.comparison.tables import number
from sdrun.judges.metric import PERCENT
from sdrun.settings.words import drawable, printable

OUTCOMES = {
    Outcome.better: "#3b82c4",
    Outcome.worse: "#d1495b",
    Outcome.higher: "#7a6fd0",
    Outcome.lower: "#7a6fd0",
    Outcome.equal: "#3fa7a3",
    Outcome.undecided: "#8a8a8a",
}
NAMES = {Outcome.undecided: "cannot be told", Outcome.equal: "no difference"}
WIDTH = 9.0
LINE, GAP, AROUND, BELOW = 0.17, 0.27, 0.95, 0.11
"""Of a line of a label, between rows, above and below them all, and from a mean to its seeds; inches, as WIDTH."""

LONGEST_LINE, MOST_LINES = 42, 4
ASIDE = 0.035
"""From the axes to what is written beside them, in parts of their width."""

REACH = 2.0
"""How far an interval is drawn, over the farthest seed; beyond it goes on with an arrow."""


@dataclass(frozen=True)
class Line:
    """A row: a mean with its interval, which may be infinite, and the differences of its seeds as ``dots``.

    ``outcome`` gives the colour, ``numbers`` is what is written beside it, and ``margin`` the half width of a band
    around 0, None for none. All are in the unit of the axis.
    """

    label: str
    mean: float
    low: float
    high: float
    dots: Sequence[float]
    outcome: Outcome
    margin: float | None = None
    numbers: str = ""


def line(label: str, difference: Difference, margin: float | None = None) -> Line:
    """A row of a difference, shares in percent. ``margin``: a difference closer to 0 was declared not to matter."""
    metric, paired = difference.metric, difference.paired
    scale = 100 if metric.unit == PERCENT else 1
    mean, low, high = (number(metric, value, signed=True) for value in (paired.mean, paired.low, paired.high))
    is_equal = margin is not None and difference.is_within(margin)
    return Line(
        label,
        scale * paired.mean,
        scale * paired.low,
        scale * paired.high,
        [scale * value for value in difference.by_seed.values()],
        Outcome.equal if is_equal else difference.outcome,
        None if margin is None else scale * margin,
        f"{mean}  [{low}, {high}]",
    )


def lines(result: Comparison) -> list[Line]:
    """A row for each group that is held against a baseline on the primary metric, by seeds or else by items."""
    rows = []
    for row in result.rows:
        if row.is_beside:
            continue
        if difference := row.differences.get(result.primary):
            rows.append(line(row.group.label, difference))
        elif row.items:
            rows.append(line_of_items(row.group.label, row.items))
    return rows


def line_of_items(label: str, items: Items) -> Line:
    """A row of one run against one other, in percent of their items; no seeds, and no word of better or worse."""
    mean, low, high = (100 * value for value in (items.difference, items.low, items.high))
    side = Outcome.higher if mean > 0 else Outcome.lower
    numbers = f"{mean:+.2f}  [{low:+.2f}, {high:+.2f}]"
    return Line(label, mean, low, high, [], Outcome.undecided if items.p > LEVEL else side, None, numbers)


def forest(rows: Sequence[Line], x: str) -> str:
    """Rows from top to bottom, with the seeds as small dots. ``x``: what the axis says."""
    labels = [_wrapped(row.label) for row in rows]
    heights = [GAP + LINE * max(1, len(lines)) for lines in labels]
    places = [sum(heights[:place]) + height / 2 for place, height in enumerate(heights)]

    def draw(axis: Axes) -> None:
        left, right = _limits(rows)
        axis.set(xlim=(left, right), ylim=(sum(heights), 0), xlabel=drawable(x))
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
        axis.axvline(0, color=INK, linewidth=0.9, alpha=0.7, zorder=1)
        for row, lines, place, height in zip(rows, labels, places, heights, strict=True):
            _draw(axis, row, place, height)
            for count, text in enumerate(lines):
                _write(axis, -ASIDE, place + LINE * (count - (len(lines) - 1) / 2), text, horizontalalignment="right")
            _write(axis, 1 + ASIDE, place, drawable(row.numbers), fontsize=9)
        for outcome in (outcome for outcome in OUTCOMES if outcome in {row.outcome for row in rows}):
            name = NAMES.get(outcome, outcome.value)
            axis.plot([], [], color=OUTCOMES[outcome], marker="D", markersize=5, linewidth=2.2, label=name)

    return svg(draw, x, (WIDTH, AROUND + sum(heights)), columns=len(OUTCOMES))


def _draw(axis: Axes, row: Line, place: float, height: float) -> None:
    left, right = axis.get_xlim()
    colour = OUTCOMES[row.outcome]
    if row.margin is not None:
        top = 1 - (place - height / 2) / axis.get_ylim()[0]
        bottom = 1 - (place + height / 2) / axis.get_ylim()[0]
        axis.axvspan(-row.margin, row.margin, bottom, top, color=INK, alpha=0.08, linewidth=0, zorder=0)
    low, high = max(row.low, left), min(row.high, right)
    axis.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
    for bound, end, marker in ((row.low, left, "<"), (row.high, right, ">")):
        mark = marker if not left <= bound <= right else "|"
        at = end if mark == marker else bound
        axis.plot([at], [place], color=colour, marker=mark, markersize=7, markeredgewidth=2, clip_on=False, zorder=3)
    below = [place + BELOW] * len(row.dots)
    axis.plot(row.dots, below, color=colour, linestyle="", marker="o", markersize=3, alpha=0.65, zorder=2, mew=0)
    axis.plot([row.mean], [place], color=colour, marker="D", markersize=6, markeredgecolor=INK, mew=0.6, zorder=4)


def _write(axis: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Beside the axes, ``x`` in parts of their width; each line alone, so that it fits its side in any font."""
    axis.text(x, y, text, transform=axis.get_yaxis_transform(), verticalalignment="center", **look)


def _limits(rows: Sequence[Line]) -> tuple[float, float]:
    """Bounds of the axis: all seeds and margins, and as much of the intervals as leaves these to be seen."""
    inner = [0.0, *(value for row in rows for value in (row.mean, *row.dots, row.margin or 0.0, -(row.margin or 0.0)))]
    reach = REACH * max(map(abs, inner))
    bounds = [bound for row in rows for bound in (row.low, row.high)]
    ends = [*inner, *(max(-reach, min(reach, bound)) for bound in bounds)]
    apart = max(ends) - min(ends)
    return (min(ends) - 0.05 * apart, max(ends) + 0.05 * apart) if apart else (-1.0, 1.0)


def _wrapped(label: str) -> list[str]:
    """As few lines as it needs; what is longer ends in dots."""
    return [
        drawable(part) for part in textwrap.wrap(printable(label), LONGEST_LINE, max_lines=MOST_LINES, placeholder=" …")
    ]
