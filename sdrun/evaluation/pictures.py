"""Pictures of a run, as matplotlib figures for TensorBoard."""

import numpy as np
from matplotlib.figure import Figure
from scipy.special import softmax
from torch import Tensor

from sdrun.evaluation.metrics import bins, ece, top
from sdrun.settings.words import drawable

BLUE, ORANGE, GREY = "#3b6ea8", "#e07b39", "#8a8a8a"


def view_grid(columns: dict[str, Tensor]) -> Figure:
    """One row a sample, one column a view: images by title, each [N, C, H, W] in 0 to 1."""
    rows = len(next(iter(columns.values())))
    figure = Figure(figsize=(1.1 * len(columns), 1.1 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, len(columns), squeeze=False)
    for column, (title, images) in enumerate(columns.items()):
        axes[0, column].set_title(title, fontsize=8)
        for row in range(rows):
            axes[row, column].imshow(images[row].movedim(0, -1).squeeze(-1).cpu().numpy(), cmap="gray", vmin=0, vmax=1)
            axes[row, column].axis("off")
    return figure


def reliability_diagram(logits: np.ndarray, labels: np.ndarray, temperature: float) -> Figure:
    """Accuracy over confidence in 15 bins, as trained and with the fitted temperature; below, where the samples lie.

    logits: [N, K]; labels: [N].
    """
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, height_ratios=[4, 1])
    for column, (title, divisor) in enumerate({"as trained": 1.0, f"T = {temperature:.2f}": temperature}.items()):
        confidence, correct = top(softmax(logits.astype(np.float64) / divisor, axis=1), labels)
        share, mean_confidence, accuracy = bins(confidence, correct)
        edges = np.arange(len(share)) / len(share)
        width = 1 / len(share)
        upper, lower = axes[0, column], axes[1, column]
        upper.bar(edges, accuracy, width, align="edge", color=BLUE, label="accuracy")
        gap = mean_confidence - accuracy
        style = {"facecolor": "none", "edgecolor": ORANGE, "hatch": "////", "linewidth": 1.2}
        upper.bar(edges, gap, width, bottom=accuracy, align="edge", label="gap to confidence", **style)
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        upper.set(title=f"{title}: ECE {ece(confidence, correct):.3f}", ylim=(0, 1), xlim=(0, 1))
        lower.bar(edges, share, width, align="edge", color=GREY)
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
    side = min(1.8 + 0.45 * num, 12)
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.subplots()
    axis.imshow(np.sqrt(share), cmap="Blues", vmin=0, vmax=1)
    accuracy = np.trace(counts) / counts.sum()
    axis.set(xlabel="predicted", ylabel="true", title=f"accuracy {accuracy:.3f}; per cent of each true class")
    if num <= 20:
        names = list(map(drawable, classes))
        axis.set_xticks(range(num), names, rotation=45, ha="right", fontsize=8)
        axis.set_yticks(range(num), names, fontsize=8)
        for row, column in np.argwhere(share > 0.005):
            colour = "white" if share[row, column] > 0.4 else "black"
            text = f"{100 * share[row, column]:.0f}"
            axis.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    return figure


def pseudo_labels(classes: list[str], share: list[float], accuracy: list[float]) -> Figure:
    """Of each true class, how many unlabelled images count, and how many of these have the right pseudo-label."""
    figure = Figure(figsize=(6.5, min(1.2 + 0.34 * len(classes), 12)), layout="constrained")
    axis = figure.subplots()
    place = np.arange(len(classes))
    axis.barh(place - 0.2, share, 0.4, color=BLUE, label="counts")
    axis.barh(place + 0.2, accuracy, 0.4, color=ORANGE, label="right, of those that count")
    axis.set_yticks(place, list(map(drawable, classes)), fontsize=8 if len(classes) <= 20 else 4)
    axis.set(xlim=(0, 1), xlabel="share of the unlabelled images of a class")
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    figure.legend(fontsize=8, loc="outside upper right", ncols=2)
    return figure


def over_stages(names: list[str], metrics: list[dict[str, float]]) -> Figure:
    """Test accuracy, NLL and ECE of each stage, the last two also after the fitted temperature."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axis, metric in zip(figure.subplots(1, 3), ("accuracy", "nll", "ece"), strict=True):
        for suffix, colour in (("", BLUE), ("_calibrated", ORANGE)):
            key = f"test/{metric}{suffix}"
            if all(key in stage for stage in metrics):
                label = "as trained" if not suffix else "fitted temperature"
                axis.plot(range(len(names)), [stage[key] for stage in metrics], "o-", color=colour, label=label)
        axis.set_title(f"test {metric.upper() if metric != 'accuracy' else metric}")
        axis.set_xticks(range(len(names)), list(map(drawable, names)), rotation=30, ha="right", fontsize=8)
        axis.grid(alpha=0.3)
    figure.axes[1].legend(fontsize=8)
    return figure


def accuracy_over_compute(
    curves: dict[str, np.ndarray], costs: list[float], alone: list[float], chosen: tuple[float, float]
) -> Figure:
    """Accuracy over mean multiply-adds as the level of confidence falls; beside it, who leaves where on the test set.

    curves: by part, [levels, 2 + exits]: compute as a share of the full network's, accuracy, share of each exit.
    costs and alone: compute and test accuracy of each exit if all samples left there; chosen: of the policy.
    """
    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    for (part, curve), style in zip(reversed(curves.items()), ("-", "--"), strict=False):
        left.plot(curve[:, 0], curve[:, 1], style, color=BLUE if part == "test" else GREY, label=part, linewidth=1.6)
    for number, (cost, accuracy) in enumerate(zip(costs, alone, strict=True), start=1):
        left.plot(cost, accuracy, "o", color=BLUE, markersize=6)
        left.annotate(f"exit {number}", (cost, accuracy), (4, -11), textcoords="offset points", fontsize=8)
    left.plot(1, alone[-1], "s", color=GREY, markersize=6, label="without shallow exits")
    left.axhline(alone[-1], color=GREY, linewidth=0.8, linestyle=":")
    left.plot(*chosen, "*", color=ORANGE, markersize=14, label="the policy")
    left.set(xlabel="mean multiply-adds, share of the full network", ylabel="accuracy")
    left.grid(alpha=0.3)
    left.margins(x=0.1)
    left.legend(fontsize=8, loc="lower right")
    order = curves["test"][np.argsort(curves["test"][:, 0], kind="stable")]
    colours = [BLUE, "#86b6d9", "#c9dcec", "#e3e3e3", "#bdbdbd", GREY]
    names = [f"exit {number}" for number in range(1, len(costs) + 1)]
    right.stackplot(order[:, 0], order[:, 2:].T, labels=names, colors=colours)
    right.axvline(chosen[0], color=ORANGE, linewidth=1.5)
    right.set(xlabel="mean multiply-adds, share of the full network", ylabel="share leaving", ylim=(0, 1))
    right.legend(fontsize=8, loc="lower left")
    return figure
