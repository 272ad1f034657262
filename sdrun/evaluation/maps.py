"""Pictures of features and of attention, as matplotlib figures for TensorBoard."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

MOST_POINTS = 3000
GOOD, BAD = "#3a9d5d", "#d1495b"


def feature_map(features: np.ndarray, labels: np.ndarray, classes: list[str]) -> Figure:
    """The first two principal components of L2-normalised features [N, D], coloured by class [N]."""
    x = features[:MOST_POINTS] / np.maximum(np.linalg.norm(features[:MOST_POINTS], axis=1, keepdims=True), 1e-12)
    x = x - x.mean(axis=0)
    _, singular, axes = np.linalg.svd(x, full_matrices=False)
    share = singular**2 / max((singular**2).sum(), 1e-30)
    place = x @ axes[:2].T
    figure = Figure(figsize=(8, 6), layout="constrained")
    axis = figure.subplots()
    colours = colormaps["tab10" if len(classes) <= 10 else "nipy_spectral"].resampled(len(classes))
    for number, name in enumerate(classes):
        chosen = place[labels[:MOST_POINTS] == number]
        axis.scatter(chosen[:, 0], chosen[:, 1], s=5, alpha=0.6, color=colours(number), label=name)
    axis.set(xlabel=f"component 1: {share[0]:.0%} of variance", ylabel=f"component 2: {share[1]:.0%}")
    axis.set_xticks([])
    axis.set_yticks([])
    if len(classes) <= 20:
        axis.legend(fontsize=8, markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def neighbours(images: np.ndarray, found: np.ndarray, right: np.ndarray, cosine: np.ndarray) -> Figure:
    """Images and their nearest references by row. images: [N, C, H, W] uint8; found: [N, k, C, H, W].

    right: [N, k], whether a neighbour has the image's class, which its frame tells; cosine: [N, k].
    """
    rows, columns = right.shape
    figure = Figure(figsize=(0.95 * (columns + 1), 1.05 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, columns + 1, squeeze=False)
    for row in range(rows):
        _show(axes[row, 0], images[row])
        for column in range(columns):
            axis = axes[row, column + 1]
            _show(axis, found[row, column])
            axis.set_title(f"{cosine[row, column]:.3f}", fontsize=7, pad=2)
            for spine in axis.spines.values():
                spine.set(color=GOOD if right[row, column] else BAD, linewidth=2.5)
    axes[0, 0].set_title("image", fontsize=8, pad=2)
    return figure


def attention(images: np.ndarray, heat: np.ndarray) -> Figure:
    """Images [N, C, H, W] uint8, and where the class token looks: heat [N, heads, h, w], scaled by map."""
    heads = heat.shape[1]
    figure = Figure(figsize=(1.05 * (heads + 2), 1.05 * len(images) + 0.3), layout="constrained")
    axes = figure.subplots(len(images), heads + 2, squeeze=False)
    for row, (image, maps) in enumerate(zip(images, heat, strict=True)):
        _show(axes[row, 0], image)
        for column, values in enumerate([maps.mean(axis=0), *maps], start=1):
            axes[row, column].imshow(values, cmap="inferno", interpolation="nearest")
    for axis, title in zip(axes[0], ["image", "mean", *(f"head {n}" for n in range(1, heads + 1))], strict=True):
        axis.set_title(title, fontsize=8)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    return figure


def _show(axis, image: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    axis.imshow(np.moveaxis(image, 0, -1).squeeze(), cmap="gray", vmin=0, vmax=255)
    axis.set_xticks([])
    axis.set_yticks([])
