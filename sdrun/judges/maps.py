"""Pictures of features and of attention, as matplotlib figures for TensorBoard."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sdrun.settings.words import drawable

MOST_POINTS = 2000
GAP = 5
GOOD, BAD = "#3a9d5d", "#d1495b"


def feature_map(features: np.ndarray, labels: np.ndarray, classes: list[str], threads: int) -> Figure:
    """A t-SNE map (van der Maaten & Hinton 2008) of features [N, D] by cosine, coloured by class [N]."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    x, labels = features[:MOST_POINTS].astype(np.float64), labels[:MOST_POINTS]
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)  # then Euclidean distance ranks as cosine does
    tsne = TSNE(perplexity=min(30, len(x) / 4), init="random", max_iter=500, random_state=0)
    with threadpool_limits(threads):
        place = tsne.fit_transform(x)
    figure = Figure(figsize=(8, 6), layout="constrained")
    axis = figure.subplots()
    colours = colormaps["tab10" if len(classes) <= 10 else "nipy_spectral"].resampled(len(classes))
    for number, name in enumerate(classes):
        chosen = place[labels == number]
        axis.scatter(chosen[:, 0], chosen[:, 1], s=5, alpha=0.7, color=colours(number), label=drawable(name))
    axis.set_title(f"t-SNE of {len(x)} test images' features by cosine", fontsize=9)
    axis.axis("off")
    if len(classes) <= 20:
        axis.legend(fontsize=8, markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def neighbours(images: np.ndarray, nearest: np.ndarray, right: np.ndarray, cosine: np.ndarray) -> Figure:
    """Images and their nearest references by row. images: [N, C, H, W] uint8; nearest: [N, k, C, H, W].

    right: [N, k], whether a neighbour has the image's class, which its frame tells; cosine: [N, k].
    """
    cells = np.concatenate([images[:, None], nearest], axis=1)
    figure, axis = _mosaic(np.moveaxis(cells, 2, -1), ["image", *(f"{n}" for n in range(1, nearest.shape[1] + 1))])
    height, width = images.shape[2:]
    for row, column in np.ndindex(*right.shape):
        left, top = (column + 1) * (width + GAP), row * (height + GAP)
        colour = GOOD if right[row, column] else BAD
        axis.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=colour, linewidth=2.5))
        axis.text(left + width, top + height + 0.8, f"{cosine[row, column]:.3f}", fontsize=6, ha="right", va="top")
    return figure


def attention(images: np.ndarray, heat: np.ndarray) -> Figure:
    """Images [N, C, H, W] uint8, and where the class token looks: heat [N, heads, h, w], scaled by map."""
    size = images.shape[2]
    maps = np.concatenate([heat.mean(axis=1, keepdims=True), heat], axis=1)
    maps = maps / maps.max(axis=(2, 3), keepdims=True)
    fine = maps.repeat(-(-size // maps.shape[2]), axis=2).repeat(-(-size // maps.shape[3]), axis=3)[..., :size, :size]
    coloured = (255 * colormaps["inferno"](fine)[..., :3]).astype(np.uint8)
    pictures = np.moveaxis(images, 1, -1)[:, None]
    pictures = np.broadcast_to(pictures, (*pictures.shape[:-1], 3))
    titles = ["image", "mean", *(f"head {n}" for n in range(1, heat.shape[1] + 1))]
    return _mosaic(np.concatenate([pictures, coloured], axis=1), titles)[0]


def _mosaic(cells: np.ndarray, titles: list[str]) -> tuple[Figure, Axes]:
    """Cells [rows, columns, H, W, C] uint8 in one picture, with white gaps and a title over each column."""
    rows, columns, height, width, channels = cells.shape
    canvas = np.full((rows, height + GAP, columns, width + GAP, channels), 255, dtype=np.uint8)
    canvas[:, :height, :, :width] = cells.transpose(0, 2, 1, 3, 4)
    canvas = canvas.reshape(rows * (height + GAP), columns * (width + GAP), channels)
    figure = Figure(figsize=(0.95 * columns, 0.95 * rows + 0.3), layout="constrained")
    axis = figure.subplots()
    axis.imshow(canvas.squeeze(-1) if channels == 1 else canvas, cmap="gray", vmin=0, vmax=255)
    for column, title in enumerate(titles):
        axis.text(column * (width + GAP) + width / 2, -2, title, fontsize=8, ha="center", va="bottom")
    axis.axis("off")
    return figure, axis
