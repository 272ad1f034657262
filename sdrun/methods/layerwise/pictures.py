"""What leaving early gives and saves, drawn."""

import numpy as np
from matplotlib.figure import Figure

from sdrun.judges.pictures import BLUE, GREY, ORANGE, axes_within


def accuracy_over_compute(
    curves: dict[str, np.ndarray], costs: list[float], alone: list[float], chosen: tuple[float, float]
) -> Figure:
    """Accuracy over mean multiply-adds as the level of confidence falls; beside it, who leaves where on the test set.

    curves: by part, [levels, 2 + exits]: compute as a share of the full network's, accuracy, share of each exit.
    costs and alone: compute and test accuracy of each exit if all samples left there; chosen: of the policy.
    """
    figure, (left, right) = axes_within(10.5, 4.2, 1, 2, top=0.1, width_ratios=[1.25, 1])
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
