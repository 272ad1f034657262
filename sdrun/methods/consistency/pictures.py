"""What the pseudo-labels of a run are like, drawn."""

import numpy as np
from matplotlib.figure import Figure

from sdrun.judges.pictures import BLUE, LONGEST_NAME, ORANGE, axes_within, beside, short
from sdrun.settings.words import drawable


def pseudo_labels(classes: list[str], share: list[float], accuracy: list[float]) -> Figure:
    """Of each true class, how many unlabelled items count, and how many of these have the right pseudo-label."""
    place, names = np.arange(len(classes)), [drawable(short(name, LONGEST_NAME)) for name in classes]
    figure, axis = axes_within(6.5, min(1.2 + 0.34 * len(names), 12), left=beside(names))
    axis.barh(place - 0.2, share, 0.4, color=BLUE, label="counts")
    axis.barh(place + 0.2, accuracy, 0.4, color=ORANGE, label="right, of those that count")
    axis.set_yticks(place, names, fontsize=8 if len(names) <= 20 else 4)
    axis.set(xlim=(0, 1), xlabel="share of the unlabelled items of a class")
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    figure.legend(fontsize=8, loc="upper right", ncols=2)
    return figure
