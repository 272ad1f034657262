"""What is believed of labels: how many are wrong, which ones, and what they should be. Imports no torch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sdrun.methods.refine.confident import (
    confident_joint,
    noise_interval,
    noise_rate,
    ranks,
    suspects,
    transitions,
)


@dataclass(frozen=True)
class Audit:
    """``rows`` [N]: where items are among those for training; ``labels`` [N]: as they are given; ``beliefs`` [N, K]:
    of models that did not see the item, probabilities.
    """

    rows: np.ndarray
    labels: np.ndarray
    beliefs: np.ndarray
    classes: Sequence[str]

    @cached_property
    def joint(self) -> np.ndarray:
        return confident_joint(self.labels, self.beliefs)

    @property
    def noise_rate(self) -> float:
        return noise_rate(self.joint)

    @property
    def transitions(self) -> np.ndarray:
        """How often items of each class (row) have each label (column)."""
        return transitions(self.joint)

    @cached_property
    def is_suspect(self) -> np.ndarray:
        return suspects(self.labels, self.beliefs, self.joint)

    @cached_property
    def ranks(self) -> np.ndarray:
        return ranks(self.labels, self.beliefs)

    @property
    def proposed(self) -> np.ndarray:
        """Classes [N] that items should have: where a label is suspect the likeliest one."""
        return np.where(self.is_suspect, self.beliefs.argmax(axis=1), self.labels)

    def metrics(self, truth: np.ndarray, seed: int) -> dict[str, float]:
        """Below ``labels/``; where ``truth`` [N] has other labels also how well it was found which."""
        low, high = noise_interval(self.labels, self.beliefs, seed)
        agree = float((self.beliefs.argmax(axis=1) == self.labels).mean())
        metrics = {
            "noise_rate": self.noise_rate,
            "noise_rate_low": low,
            "noise_rate_high": high,
            "suspects": float(self.is_suspect.mean()),
            "belief_agreement": agree,
        }
        is_wrong = truth != self.labels
        if is_wrong.any():
            both = (self.is_suspect & is_wrong).sum()
            metrics |= {
                "wrong": float(is_wrong.mean()),
                "precision": float(both / max(1, self.is_suspect.sum())),
                "recall": float(both / is_wrong.sum()),
                "average_precision": average_precision(is_wrong, self.ranks),
                "proposed_accuracy": float((self.proposed == truth).mean()),
            }
        return {f"labels/{name}": value for name, value in metrics.items()}

    @property
    def said(self) -> str:
        """In a line."""
        return f"{self.is_suspect.sum():,} of {len(self.labels):,} are suspect, about {self.noise_rate:.1%} wrong"

    def table(self, learned: np.ndarray) -> str:
        """A row of comma-separated values for each item, the most suspicious first. learned: what a student learns,
        [N, K].
        """
        proposed = self.proposed
        records = [
            {
                "row": int(self.rows[item]),
                "given": self.classes[self.labels[item]],
                "proposed": self.classes[proposed[item]],
                "suspect": "yes" if self.is_suspect[item] else "no",
                "rank": int(self.ranks[item]),
                "belief_in_given": f"{self.beliefs[item, self.labels[item]]:.4f}",
                "confidence": f"{self.beliefs[item].max():.4f}",
                **{f"learned_{name}": f"{learned[item, k]:.4f}" for k, name in enumerate(self.classes)},
            }
            for item in np.argsort(self.ranks)
        ]
        file = io.StringIO()
        writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return file.getvalue()


def precision_recall(is_wrong: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares [N] of the first n that are wrong, and of all wrong ones that are among these; is_wrong, places: [N]."""
    num_wrong = is_wrong[np.argsort(places)].cumsum()
    return num_wrong / np.arange(1, len(places) + 1), num_wrong / max(1, num_wrong[-1])


def average_precision(is_wrong: np.ndarray, places: np.ndarray) -> float:
    """Area under precision over recall: its mean over the wrong ones."""
    return float(precision_recall(is_wrong, places)[0][is_wrong[np.argsort(places)]].mean())
