"""Tasks, drawn: how well each is known after each."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from sdrun.judges.pictures import axes_within, beside

LONGEST = 24
"""Letters of a task's name that are shown."""


def after_and_on(matrix: Sequence[Sequence[float]], titles: Sequence[str]) -> Figure:
    """matrix: accuracies on each task, before the first one and after each."""
    names = [title if len(title) <= LONGEST else f"{title[: LONGEST - 3]}..." for title in titles]
    rows = ["nothing", *(f"{number}: {name}" for number, name in enumerate(names))]
    left = 0.6 + beside(rows)
    size = 0.5 * len(names)
    figure, axis = axes_within(left + size + 1.6, size + 1.6, 1, 1, left=left)
    shown = axis.imshow([[100 * value for value in row] for row in matrix], vmin=0, vmax=100, aspect="auto")
    for number, row in enumerate(matrix):
        for place, value in enumerate(row):
            colour = "white" if value < 0.6 else "black"
            axis.text(place, number, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axis.set_yticks(range(len(rows)), rows, fontsize=8)
    axis.set_xticks(range(len(names)))
    axis.set(title="accuracy, %", ylabel="after the task", xlabel="on the task")
    figure.colorbar(shown, ax=axis)
    return figure
