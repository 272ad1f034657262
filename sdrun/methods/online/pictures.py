"""A stream, drawn: what a network was worth as it went through, and what it is worth on each period after each."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sdrun.judges.pictures import BLUE, GREY, ORANGE, axes_within

LINES = {
    "present/accuracy": ("the present period", BLUE, "-"),
    "first/accuracy": ("the first", GREY, "-"),
    "last/accuracy": ("the last", ORANGE, "-"),
    "present/prequential_accuracy": ("the present, before it was learned", BLUE, ":"),
    "present/pseudo_label_accuracy": ("pseudo-labels that were learned", "black", ":"),
}
"""Metrics, and how each is drawn."""


def over_the_stream(history: Sequence[Mapping[str, float]]) -> Figure:
    """Accuracy after each period, the first being 0."""
    figure, axis = axes_within(7.2, 4.2, 1, 1)
    for key, (label, colour, style) in LINES.items():
        places = [number for number, metrics in enumerate(history) if key in metrics]
        if places:
            axis.plot(places, [100 * history[number][key] for number in places], style, color=colour, label=label)
    axis.set(xlabel="periods so far", ylabel="accuracy, %", title="accuracy on")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure


def after_and_of(accuracies: Sequence[Sequence[float]]) -> Figure:
    """accuracies: after each period, on each period."""
    side = 1.8 + 0.16 * len(accuracies)
    figure, axis = axes_within(side + 0.6, side, 1, 1)
    shown = axis.imshow([[100 * value for value in row] for row in accuracies], origin="lower", vmin=0, vmax=100)
    axis.set(xlabel="on the period", ylabel="after the period", title="accuracy, %")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(shown, ax=axis, shrink=0.8)
    return figure
