"""A stream, drawn: what a network was worth as it went through, what it learned, and what it is worth where."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sdrun.judges.pictures import BLUE, GREY, ORANGE, axes_within, beside

Lines = Mapping[str, tuple[str, str, str]]
"""Metrics, and how each is drawn: what it is called, its colour and its style."""

PANELS: Mapping[str, Lines] = {
    "accuracy, %": {
        "present/accuracy": ("on the present period", BLUE, "-"),
        "present/prequential_accuracy": ("on it, before it was learned", BLUE, ":"),
        "first/accuracy": ("on the first", GREY, "-"),
        "last/accuracy": ("on the last", ORANGE, "-"),
    },
    "pseudo-labels, %": {
        "present/pseudo_label_accuracy": ("right", BLUE, "-"),
        "present/estimated_accuracy": ("right, as estimated without labels", BLUE, ":"),
        "present/mask": ("that count", GREY, "-"),
    },
    "calibration error, %": {
        "present/ece": ("on the present period", BLUE, "-"),
        "first/ece": ("on the first", GREY, "-"),
        "last/ece": ("on the last", ORANGE, "-"),
    },
}


def over_the_stream(history: Sequence[Mapping[str, float]]) -> Figure:
    """Metrics after each period, the first being 0; where an update does not count, a line says so."""
    panels = {title: lines for title, lines in PANELS.items() if any(_places(history, key) for key in lines)}
    figure, axes = axes_within(7.2, 2.3 * len(panels) + 0.6, len(panels), 1, sharex=True, squeeze=False)
    for axis, (title, lines) in zip(axes[:, 0], panels.items(), strict=True):
        for key, (label, colour, style) in lines.items():
            if places := _places(history, key):
                axis.plot(places, [100 * history[number][key] for number in places], style, color=colour, label=label)
        for number in (number for number, metrics in enumerate(history) if metrics.get("present/unchanged")):
            axis.axvline(number, color="black", linewidth=0.6, linestyle="--", alpha=0.5)
        axis.set(ylabel=title)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    axes[-1, 0].set(xlabel="periods so far; dashed where the network stayed as it was")
    axes[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _places(history: Sequence[Mapping[str, float]], key: str) -> list[int]:
    return [number for number, metrics in enumerate(history) if key in metrics]


def after_and_of(accuracies: Sequence[Sequence[float]]) -> Figure:
    """accuracies: after each period, on each period."""
    return _heat(accuracies, "accuracy, %", ylabel="after the period", xlabel="on the period")


def by_class(history: Sequence[Mapping[str, float]], key: str, title: str, classes: Sequence[str]) -> Figure:
    """A metric of each class, ``key/CLASS``, after each period but the first; white where a class has none."""
    rows = [[metrics.get(f"{key}/{name}", float("nan")) for metrics in history[1:]] for name in classes]
    return _heat(rows, title, names=classes, start=1, xlabel="after the period")


def _heat(
    rows: Sequence[Sequence[float]], title: str, names: Sequence[str] = (), start: int = 0, **labels: str
) -> Figure:
    """Shares, drawn from 0 to 100 %; ``start``: the number of the first column."""
    left = 0.6 + (beside(names) if names else 0)
    width, height = left + 1.2 + 0.16 * len(rows[0]), 1.2 + 0.16 * len(rows)
    figure, axis = axes_within(max(width, 3.4), max(height, 2.2), 1, 1, left=left)
    percent = [[100 * value for value in row] for row in rows]
    shown = axis.imshow(percent, origin="upper" if names else "lower", vmin=0, vmax=100, aspect="auto")
    left, right, bottom, top = shown.get_extent()
    shown.set_extent((left + start, right + start, bottom, top))
    axis.set(title=title, **labels)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if names:
        axis.set_yticks(range(len(names)), names, fontsize=8)
    else:
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(shown, ax=axis)
    return figure
