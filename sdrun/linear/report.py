"""What of distillation is left beside the best penalty, in words, numbers and a picture."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from sdrun.comparison.statistics import LEVEL, Paired, paired
from sdrun.comparison.tables import Table
from sdrun.linear.search import ALPHAS, KINDS, PENALTIES, PLAIN, Trial, penalties
from sdrun.storage.files import write_bytes

PICTURE, NUMBERS = "linear.png", "linear.json"
ACCURACY, ERROR = "accuracy", "error"

Trials = Mapping[float, Sequence[Trial]]
"""By noise, one a seed."""


def tables(trials: Trials) -> list[Table]:
    """One for each noise: a kind a row, its difference from plain regression over the seeds."""
    return [_table(noise, of_noise) for noise, of_noise in trials.items()]


def _table(noise: float, trials: Sequence[Trial]) -> Table:
    columns = ["", "accuracy, %", "difference", "squared error", "difference of it", "penalty", "alpha"]
    table = Table(f"{noise:.0%} of the labels wrong, {len(trials)} seeds", columns, left=("",))
    for kind in KINDS:
        own = [trial.best[kind] for trial in trials]
        accuracy, error = _values(trials, kind, ACCURACY), _values(trials, kind, ERROR)
        gains = (_difference(trials, kind, ACCURACY), _difference(trials, kind, ERROR))
        penalty, alphas = (
            np.median([one.penalty for one in own]),
            np.median([one.alphas for one in own], axis=0),
        )
        table.rows.append(
            [
                kind,
                f"{100 * accuracy.mean():.2f} ± {100 * accuracy.std(ddof=1):.2f}",
                _span(gains[0], 100, 2),
                f"{error.mean():.4f}",
                _span(gains[1], 1, 4),
                f"{penalty:.2g}",
                ", ".join(f"{alpha:+.1f}" for alpha in np.atleast_1d(alphas)),
            ]
        )
    return table


def _span(difference: Paired | None, scale: float, digits: int) -> str:
    if difference is None:
        return ""
    mean, low, high = (f"{scale * value:+.{digits}f}" for value in (difference.mean, difference.low, difference.high))
    return f"{mean} [{low}, {high}]"


def _values(trials: Sequence[Trial], kind: str, metric: str) -> np.ndarray:
    return np.array([getattr(trial.best[kind], metric) for trial in trials])


def _difference(trials: Sequence[Trial], kind: str, metric: str) -> Paired | None:
    """From plain regression, at a level that all kinds share."""
    if kind == PLAIN:
        return None
    gains = _values(trials, kind, metric) - _values(trials, PLAIN, metric)
    return paired(gains.tolist(), LEVEL / (len(KINDS) - 1))


def figure(trials: Trials) -> Figure:
    """The error of one step at each penalty and alpha, as a share of the best without it; theory's best alpha is drawn
    over it, and the best penalty without a step is marked.
    """
    drawn = Figure(figsize=(1.4 + 2.9 * len(trials), 3.6), layout="constrained")
    axes = drawn.subplots(1, len(trials), squeeze=False, sharey=True)
    where = np.log10(penalties(PENALTIES))
    for axis, (noise, of_noise) in zip(axes[0], trials.items(), strict=True):
        errors = np.mean([trial.errors for trial in of_noise], axis=0)
        plain = errors[:, ALPHAS.index(0.0)]
        change = 100 * (errors / plain.min() - 1)
        norm = TwoSlopeNorm(0, -5, 20)
        shades = axis.pcolormesh(where, ALPHAS, change.T, cmap="RdBu_r", norm=norm, shading="nearest")
        theory = np.mean([trial.theory for trial in of_noise], axis=0)
        axis.plot(where, theory, color="black", linewidth=1, label="best alpha, by theory")
        lowest = errors.argmin(axis=1)
        is_within = (lowest > 0) & (lowest < len(ALPHAS) - 1)
        axis.plot(
            where[is_within], np.array(ALPHAS)[lowest[is_within]], "k.", markersize=5, label="best alpha, measured"
        )
        axis.plot(where[plain.argmin()], 0, "k*", markersize=7, label="best penalty without a step")
        axis.set(ylim=(ALPHAS[0] - 0.25, ALPHAS[-1] + 0.25), xlabel="penalty, log10")
        axis.set_title(f"{noise:.0%} of the labels wrong", fontsize=9)
    axes[0, 0].set_ylabel("alpha")
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    drawn.colorbar(shades, ax=list(axes[0]), label="error, % above the best without a step")
    return drawn


def write(folder: Path, trials: Trials, about: Mapping[str, Any]) -> None:
    """The picture and all numbers. Raises OSError where the disk is full."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure(trials).savefig(buffer, format="png", dpi=130)
    write_bytes(folder / PICTURE, buffer.getvalue())
    by_noise = {
        f"{noise:g}": {kind: [vars(trial.best[kind]) for trial in of_noise] for kind in KINDS}
        for noise, of_noise in trials.items()
    }
    write_bytes(folder / NUMBERS, json.dumps({**about, "by_noise": by_noise}, indent=1).encode())
