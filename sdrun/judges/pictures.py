"""Pictures of a run, as matplotlib figures for TensorBoard."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import softmax

from sdrun.judges.metric import Metric
from sdrun.judges.metrics import bins, ece, recall, top
from sdrun.settings.words import drawable

BLUE, ORANGE, GREY = "#3b6ea8", "#e07b39", "#8a8a8a"
MISTAKES_A_ROW = 4
LONGEST_LINE, LONGEST_NAME = 110, 16
MOST_CLASSES = 40

Shown = np.ndarray | str
"""What people see of an item: a picture [C, H, W] uint8, or its text."""


def axes_within(
    width: float, height: float, *shape: int, left: float = 0.6, bottom: float = 0.5, top: float = 0.35, **grid: Any
) -> tuple[Figure, Any]:
    """A figure and its axes, of ``shape`` rows and columns, between margins; all in inches.

    Margins that are fitted to what stands in them would have a picture laid out twice before it is drawn.
    """
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(left / width, bottom / height, 1 - 0.15 / width, 1 - top / height)
    return figure, figure.subplots(*shape, **grid)


def beside(names: Sequence[str]) -> float:
    """Inches that names beside an axis take, in 8 points."""
    return 0.15 + 0.07 * max(map(len, names))


def view_grid(columns: Mapping[str, Sequence[Shown]]) -> Figure:
    """What views show of some items, by title: pictures in one row an item and one column a view; texts in lines."""
    first = next(iter(columns.values()))
    if isinstance(first[0], str):
        lines = [(title, str(cells[row])) for row in range(len(first)) for title, cells in columns.items()]
        return _lines(lines, bold=lines[0][0])
    figure, axis = _table(len(first), len(columns), side=1.1, head=0.25)
    for column, (title, cells) in enumerate(columns.items()):
        for row, cell in enumerate(cells):
            _picture(axis, cell, row, column, "" if row else title)
    return figure


def mistakes(shown: Sequence[Shown], classes: Sequence[tuple[str, str]], confidence: Sequence[float]) -> Figure:
    """Items that a network is wrong about, each with its class, the one that was predicted, and how surely."""
    names = [[short(name, LONGEST_NAME) for name in pair] for pair in classes]
    captions = [f"{true}, not {said} ({sure:.0%})" for (true, said), sure in zip(names, confidence, strict=True)]
    if isinstance(shown[0], str):
        return _lines(list(zip(captions, map(str, shown), strict=True)))
    figure, axis = _table(-(-len(shown) // MISTAKES_A_ROW), MISTAKES_A_ROW, side=1.7, head=0.2)
    for number, (cell, caption) in enumerate(zip(shown, captions, strict=True)):
        row, column = divmod(number, MISTAKES_A_ROW)
        _picture(axis, cell, row, column, drawable(caption))
    return figure


def _table(rows: int, columns: int, side: float, head: float) -> tuple[Figure, Axes]:
    """Axes whose unit is a cell, the first row on top: an axis for each picture takes half a second for thirty."""
    figure = Figure(figsize=(side * columns, side * rows + head))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.axis("off")
    axis.set(xlim=(0, columns), ylim=(rows, -head / side), autoscale_on=False)
    return figure, axis


def _picture(axis: Axes, cell: Shown, row: int, column: int, caption: str) -> None:
    """A picture [C, H, W] uint8 in its cell of a table, below its caption."""
    pixels = np.moveaxis(np.asarray(cell), 0, -1).squeeze(-1 if len(cell) == 1 else ())
    height, width = pixels.shape[:2]
    down, across = (0.45 * size / max(height, width) for size in (height, width))
    centre = column + 0.5, row + 0.53
    extent = (centre[0] - across, centre[0] + across, centre[1] + down, centre[1] - down)
    axis.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    axis.text(centre[0], centre[1] - down - 0.02, caption, ha="center", fontsize=7)


def _lines(lines: list[tuple[str, str]], bold: str = "") -> Figure:
    """Texts, each after what it is called; those that are called ``bold`` are in bold."""
    figure = Figure(figsize=(9.5, 0.21 * len(lines) + 0.2))
    left = 0.03 + 0.0075 * max(len(title) for title, _ in lines)
    for number, (title, text) in enumerate(lines):
        height = 1 - (number + 0.7) / (len(lines) + 0.4)
        weight = "bold" if title == bold else "normal"
        figure.text(0.01, height, drawable(title), fontsize=8, color=GREY)
        figure.text(left, height, drawable(short(text, LONGEST_LINE)), fontsize=8, fontweight=weight)
    return figure


def short(text: str, num: int) -> str:
    """At most so many letters of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= num else f"{line[: num - 3]}..."


def reliability_diagram(logits: np.ndarray, labels: np.ndarray, temperature: float) -> Figure:
    """Accuracy over confidence in 15 bins, as trained and with the fitted temperature; below, where the samples lie.

    logits: [N, K]; labels: [N].
    """
    figure, axes = axes_within(7.5, 4.6, 2, 2, sharex=True, height_ratios=[4, 1])
    for column, (title, divisor) in enumerate({"as trained": 1.0, f"T = {temperature:.2f}": temperature}.items()):
        confidence, correct = top(softmax(logits.astype(np.float64) / divisor, axis=1), labels)
        share, mean_confidence, accuracy = bins(confidence, correct)
        edges = np.linspace(0, 1, len(share) + 1)
        upper, lower = axes[0, column], axes[1, column]
        upper.stairs(accuracy, edges, fill=True, color=BLUE, label="accuracy")
        style = {"facecolor": "none", "edgecolor": ORANGE, "hatch": "////", "linewidth": 1.2}
        upper.stairs(mean_confidence, edges, baseline=accuracy, fill=True, label="gap to confidence", **style)
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        upper.set(title=f"{title}: ECE {ece(confidence, correct):.3f}", ylim=(0, 1), xlim=(0, 1))
        lower.stairs(share, edges, fill=True, color=GREY)
        lower.set(xlabel="confidence")
    axes[0, 0].set_ylabel("accuracy")
    axes[1, 0].set_ylabel("share")
    axes[0, 0].legend(fontsize=8, loc="upper left")
    return figure


def confusion_matrix(logits: np.ndarray, labels: np.ndarray, classes: list[str]) -> Figure:
    """Share of each true class (row) that is predicted as each class (column). logits: [N, K]; labels: [N]."""
    num = len(classes)
    counts = np.bincount(labels * num + logits.argmax(axis=1), minlength=num * num).reshape(num, num)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    accuracy = np.trace(counts) / counts.sum()
    title = f"accuracy {accuracy:.3f}; per cent of each true class"
    return share_matrix(share, classes, title, xlabel="predicted", ylabel="true")


def share_matrix(share: np.ndarray, classes: Sequence[str], title: str, xlabel: str, ylabel: str) -> Figure:
    """Shares [K, K] of each class's items (row) that are taken for each (column)."""
    num = len(classes)
    names = [drawable(short(name, LONGEST_NAME)) for name in classes] if num <= 20 else []
    side, left = min(0.42 * num, 10.2), 0.3 + beside(names or ["000"])
    bottom = 0.1 + 0.75 * left
    figure, axis = axes_within(left + side + 0.15, bottom + side + 0.35, left=left, bottom=bottom)
    axis.imshow(np.sqrt(share), cmap="Blues", vmin=0, vmax=1)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if names:
        axis.set_xticks(range(num), names, rotation=45, ha="right", fontsize=8)
        axis.set_yticks(range(num), names, fontsize=8)
        for row, column in np.argwhere(share > 0.005):
            colour = "white" if share[row, column] > 0.4 else "black"
            text = f"{100 * share[row, column]:.0f}"
            axis.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    return figure


def accuracy_of_classes(logits: np.ndarray, labels: np.ndarray, classes: list[str]) -> Figure:
    """Share of each class's items that is predicted as it, the lowest first; of many classes the lowest and highest.

    logits: [N, K]; labels: [N].
    """
    counts = np.bincount(labels, minlength=len(classes))
    share = recall((logits.argmax(axis=1) == labels).astype(float), labels)
    order = [place for place in np.argsort(share, kind="stable") if counts[place]]
    if len(order) > MOST_CLASSES:
        order = [*order[: MOST_CLASSES // 2], *order[-MOST_CLASSES // 2 :]]
    names = [drawable(f"{short(classes[place], LONGEST_NAME)} ({counts[place]:,})") for place in order]
    figure, axis = axes_within(6, 0.8 + 0.22 * len(order), left=beside(names), bottom=0.35)
    bars = axis.barh(range(len(order)), share[order], color=BLUE)
    axis.bar_label(bars, [f"{100 * share[place]:.0f}" for place in order], padding=2, fontsize=7)
    axis.axvline(float(np.nanmean(share)), color=ORANGE, linewidth=1)
    axis.set_yticks(range(len(order)), names, fontsize=8)
    axis.invert_yaxis()
    title = f"balanced accuracy {np.nanmean(share):.3f}"
    axis.set(xlim=(0, 1.08), xlabel="accuracy in per cent; in brackets the items of a class", title=title)
    axis.set_xticks([])
    return figure


def over_stages(names: list[str], metrics: list[dict[str, float]], shown: list[Metric]) -> Figure:
    """The first three metrics of each stage on the test set, also after the fitted temperature where there is one."""
    starred = {metric.title: metric.name for metric in shown if metric.title.endswith("*")}
    plain = [metric for metric in shown if metric.title not in starred][:3]
    left = beside(names)
    bottom = 0.15 + 0.6 * left
    figure, axes = axes_within(left + 3 * len(plain), 3.2, 1, len(plain), left=left, bottom=bottom, squeeze=False)
    for axis, metric in zip(axes[0], plain, strict=True):
        lines = {"as trained": (metric.name, BLUE), "fitted temperature": (starred.get(f"{metric.title}*"), ORANGE)}
        for label, (name, colour) in lines.items():
            if all(f"test/{name}" in stage for stage in metrics):
                values = [stage[f"test/{name}"] for stage in metrics]
                axis.plot(range(len(names)), values, "o-", color=colour, label=label)
        axis.set_title(f"test {metric.title}")
        axis.set_xticks(range(len(names)), list(map(drawable, names)), rotation=30, ha="right", fontsize=8)
        axis.grid(alpha=0.3)
    figure.axes[-1].legend(fontsize=8)
    return figure


def accuracy_over_compute(points: dict[str, tuple[float, float]]) -> Figure:
    """Test accuracy over multiply-adds of an item, of each stage by its name; the last one stands out."""
    figure, axes = axes_within(5.6, 3.8, 1, 1)
    last = list(points)[-1]
    for name, (cost, accuracy) in points.items():
        axes.plot(cost, 100 * accuracy, "o", color=BLUE if name == last else GREY, markersize=7)
        axes.annotate(drawable(name), (cost, 100 * accuracy), (6, 4), textcoords="offset points", fontsize=9)
    axes.set(xscale="log", xlabel="multiply-adds of an item", ylabel="test accuracy, %")
    axes.margins(x=0.25, y=0.2)
    axes.grid(alpha=0.3, which="both")
    return figure
