"""What of distillation is left beside the best penalty, in words, numbers and a picture."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from sdrun.comparison.differences import cell, difference
from sdrun.comparison.rendering import mean_sd, numbers
from sdrun.comparison.statistics import LEVEL
from sdrun.comparison.tables import Table
from sdrun.judges.metric import CLASSIFICATION, Better, Metric, by_name
from sdrun.linear.search import ALPHAS, KINDS, PENALTIES, PLAIN, Best, Trial, penalties
from sdrun.storage.files import write_bytes

PICTURE, NUMBERS = "linear.png", "linear.json"
OF_ERROR = "difference of error"
MEASURED: dict[Metric, Callable[[Best], float]] = {
    by_name(CLASSIFICATION)["accuracy"]: lambda best: best.accuracy,
    Metric("error", Better.lower): lambda best: best.error,
}
"""What is told of the best of a kind."""

Trials = Mapping[float, Sequence[Trial]]
"""By noise, one a seed."""


def tables(trials: Trials) -> list[Table]:
    """One for each noise: a kind a row, its difference from plain regression over the seeds."""
    return [_table(noise, of_noise) for noise, of_noise in trials.items()]


def _table(noise: float, trials: Sequence[Trial]) -> Table:
    columns = ["", "accuracy, %", "difference", "squared error", OF_ERROR, "penalty", "alpha"]
    title = f"{noise:.0%} of the labels wrong, {len(trials)} seeds"
    table = Table(title, columns, left=("",), spare=("alpha", "penalty", OF_ERROR))
    for kind in KINDS:
        of_kind = [trial.best[kind] for trial in trials]
        plain = [trial.best[PLAIN] for trial in trials]
        row = [kind]
        for metric, value in MEASURED.items():
            own, base = ({seed: value(one) for seed, one in enumerate(every)} for every in (of_kind, plain))
            measured = cell(own)
            assert measured
            row += [mean_sd(metric, measured), "" if kind == PLAIN else _gain(metric, own, base)]
        alphas = np.atleast_1d(np.median([one.alphas for one in of_kind], axis=0))
        row += [f"{np.median([one.penalty for one in of_kind]):.2g}", ", ".join(f"{alpha:+.1f}" for alpha in alphas)]
        table.rows.append(row)
    return table


def _gain(metric: Metric, own: dict[int, float], base: dict[int, float]) -> str:
    """At a level that all kinds share."""
    mean, interval, _ = numbers(difference(metric, own, base, LEVEL / (len(KINDS) - 1)))
    return f"{mean} {interval}"


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
