"""Pictures of groups of runs, as SVG that takes the colour of its text from the page."""

import io
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sdrun.judges.metrics import bins
from sdrun.settings.words import drawable, printable

INK = "#010203"
"""Drawn by matplotlib, and then replaced by the page's own colour."""

COLOURS = ("#3b82c4", "#e07b39", "#4a9d5b", "#b65fb0", "#c9a227", "#3fa7a3", "#d1495b", "#7a6fd0", "#8a8a8a", "#9c6644")
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sdrun",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "axes.prop_cycle": cycler(color=COLOURS),
}

SIZE = (5.6, 3.9)
"""Inches."""

Curve = tuple[np.ndarray, np.ndarray]
"""Places [N], and values [seeds, N]."""


def curves(lines: Mapping[str, Curve], x: str, y: str, marker: str | None = None, is_log: bool = False) -> str:
    """Means over seeds, with the range from the lowest to the highest seed behind them; ``is_log``: along x."""

    def draw(axis: Axes) -> None:
        for label, (places, values) in lines.items():
            name = drawable(label)
            (line,) = axis.plot(places, values.mean(axis=0), label=name, linewidth=1.6, marker=marker, markersize=4)
            if len(values) > 1:
                axis.fill_between(
                    places, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.18, linewidth=0
                )
        axis.set(xlabel=x, ylabel=drawable(y))
        if is_log:
            ticks = {f"{place:.2g}": float(place) for places, _ in lines.values() for place in places}
            axis.set_xscale("log")
            axis.set_xticks(list(ticks.values()), list(ticks))
            axis.minorticks_off()

    return svg(draw, f"{y} over {x}")


def reliability(lines: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str) -> str:
    """Accuracy over confidence in 15 bins. ``lines``: confidence [N] and correctness [N] by label."""

    def draw(axis: Axes) -> None:
        axis.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
        for label, (confidence, correct) in lines.items():
            share, mean_confidence, accuracy = bins(confidence, correct)
            filled = share * len(confidence) >= 20
            name = drawable(label)
            axis.plot(mean_confidence[filled], accuracy[filled], label=name, marker="o", markersize=3.5, linewidth=1.4)
        axis.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), title=title)

    return svg(draw, f"reliability, {title}")


def by_stage(lines: Mapping[str, tuple[Sequence[str], np.ndarray]], y: str) -> str:
    """Mean and standard deviation at each stage or exit. ``lines``: names [N] and values [seeds, N] by label."""

    def draw(axis: Axes) -> None:
        ticks = list(dict.fromkeys(name for names, _ in lines.values() for name in names))
        for label, (names, values) in lines.items():
            places = [ticks.index(name) for name in names]
            spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(len(names))
            name = drawable(label)
            axis.errorbar(places, values.mean(axis=0), spread, label=name, marker="o", capsize=3, linewidth=1.4)
        axis.set_xticks(range(len(ticks)), list(map(drawable, ticks)), rotation=20, ha="right")
        axis.set(ylabel=drawable(y))

    return svg(draw, f"{y} by stage")


def frontier(
    points: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str, level: float, signs: tuple[int, int]
) -> str:
    """A line for each label through the best of its points; the others are faint.

    ``signs``: 1 where more of x, and of y, is better, and -1 where less is.
    """

    def is_worse(one: tuple[float, float], other: tuple[float, float]) -> bool:
        return one != other and all(sign * (b - a) >= 0 for sign, a, b in zip(signs, one, other, strict=True))

    def draw(axis: Axes) -> None:
        for label, each in points.items():
            best = [one for one in each if not any(is_worse(one, other) for other in each)]
            (line,) = axis.plot(*zip(*sorted(best), strict=True), marker="o", label=drawable(label), markersize=4)
            axis.plot(*zip(*each, strict=True), "o", color=line.get_color(), alpha=0.35, markersize=4)
        axis.axvline(level, color=INK, linewidth=0.8, linestyle="--", alpha=0.6)
        axis.set(xlabel=x, ylabel=drawable(y))

    return svg(draw, f"{y} over {x}")


def scatter(points: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str) -> str:
    """Points by label."""

    def draw(axis: Axes) -> None:
        for label, each in points.items():
            axis.plot(*zip(*each, strict=True), "o", label=drawable(label), markersize=4.5)
        axis.set(xlabel=x, ylabel=drawable(y))

    return svg(draw, f"{y} over {x}")


def svg(draw: Callable[[Axes], None], title: str, size: tuple[float, float] = SIZE, columns: int = 2) -> str:
    """What ``draw`` draws, ``size`` inches large; its legend below it, in ``columns`` where its labels are short."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axis = figure.subplots()
        draw(axis)
        handles, labels = axis.get_legend_handles_labels()
        are_long = max(map(len, labels)) > 28
        figure.legend(handles, labels, loc="outside lower center", ncols=1 if are_long else columns)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Title": printable(title)})
    text = buffer.getvalue()
    return text[text.index("<svg") :].replace(INK, "currentColor")
