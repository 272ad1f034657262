"""What networks of different sizes give, drawn over what they cost."""

from matplotlib.figure import Figure

from sdrun.judges.pictures import BLUE, GREY, axes_within
from sdrun.settings.words import drawable


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
