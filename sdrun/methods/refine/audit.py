"""What is believed of labels: how many are wrong, which ones, and what they should be. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sdrun.data.by_item import safe, written
from sdrun.data.consensus import Annotations, Crowd
from sdrun.data.corrections import GIVEN
from sdrun.data.labelled import Splits
from sdrun.finders import anchors, confident
from sdrun.finders.findings import Findings
from sdrun.methods.refine import crowd
from sdrun.methods.refine.settings import Finder
from sdrun.settings import CORRECTED

CLEAN = 0.01
"""Of the items that models are surest of, the largest share that they think otherwise of where labels look clean."""


@dataclass(frozen=True)
class Audit:
    """``names`` [N]: what a person finds items by, each being a row, a line or a file, as ``named`` says; ``labels``
    [N]: as they are given; ``beliefs`` [N, K]: of models that did not see the item, probabilities; ``annotations``:
    what each of several people said, None where nobody was asked; ``certain`` [N]: labels that a person put right.
    """

    named: str
    names: np.ndarray
    labels: np.ndarray
    beliefs: np.ndarray
    classes: Sequence[str]
    finder: Finder
    annotations: Annotations | None = None
    certain: np.ndarray | None = None

    @classmethod
    def of(cls, splits: Splits, beliefs: np.ndarray, finder: Finder) -> "Audit":
        """That of the labelled items for training."""
        labelled = splits.labelled
        names, labels = splits.names[labelled], splits.train.labels[labelled]
        annotations = splits.annotations and splits.annotations.of(labelled)
        certain = None if splits.certain is None else splits.certain[labelled]
        return cls(splits.named, names, labels, beliefs, splits.classes, finder, annotations, certain)

    @cached_property
    def findings(self) -> Findings:
        if self.crowd:
            findings = crowd.find(self.labels, self.crowd)
        else:
            findings = (confident if self.finder is Finder.confident else anchors).find(self.labels, self.beliefs)
        return findings if self.certain is None else findings.without_doubt(self.certain, self.labels)

    @cached_property
    def crowd(self) -> Crowd | None:
        """What annotators and models say together, where several people labelled an item and they are asked."""
        if self.annotations is None or self.finder is not Finder.anchors:
            return None
        return crowd.crowd_of(self.labels, self.beliefs, self.annotations)

    @property
    def floor(self) -> float:
        """The share of the quarter that models are surest of whose label they do not share: about the share of wrong
        labels, where wrong ones look like nothing in particular.
        """
        surest = np.argsort(-self.beliefs.max(axis=1), kind="stable")[
            : max(1, round(anchors.SUREST * len(self.labels)))
        ]
        return float((self.beliefs[surest].argmax(axis=1) != self.labels[surest]).mean())

    @property
    def proposed(self) -> np.ndarray:
        """Classes [N] that items should have: where a label is suspect the likeliest one."""
        return np.where(self.findings.is_suspect, self.findings.classes.argmax(axis=1), self.labels)

    def metrics(self, truth: np.ndarray, seed: int) -> dict[str, float]:
        """Below ``labels/``; where ``truth`` [N] has other labels also how well it was found which."""
        low, high = self.findings.noise_interval(seed)
        agree = float((self.beliefs.argmax(axis=1) == self.labels).mean())
        metrics = {
            "noise_rate": self.findings.noise_rate,
            "noise_rate_low": low,
            "noise_rate_high": high,
            "noise_floor": self.floor,
            "suspects": float(self.findings.is_suspect.mean()),
            "belief_agreement": agree,
        }
        if self.crowd:
            metrics["annotator_accuracy"] = crowd.accuracy(self.crowd)
        is_wrong = truth != self.labels
        if is_wrong.any():
            both = (self.findings.is_suspect & is_wrong).sum()
            metrics |= {
                "wrong": float(is_wrong.mean()),
                "precision": float(both / max(1, self.findings.is_suspect.sum())),
                "recall": float(both / is_wrong.sum()),
                "average_precision": average_precision(is_wrong, self.findings.ranks),
                "proposed_accuracy": float((self.proposed == truth).mean()),
            }
        return {f"labels/{name}": value for name, value in metrics.items()}

    @property
    def summary(self) -> list[str]:
        """In a few lines."""
        num, rate = int(self.findings.is_suspect.sum()), self.findings.noise_rate
        told = f"{num:,} of {len(self.labels):,} are suspect, about {rate:.1%} wrong"
        clean = f"labels look clean: models are at odds with {self.floor:.1%} of those they are surest of"
        of_people = [crowd.summary(self.crowd)] if self.crowd else []
        return [told, *of_people, *([f"{clean}; refining is not advised"] if self.floor <= CLEAN else [])]

    @cached_property
    def votes(self) -> np.ndarray:
        """How many of several annotators chose each class of an item, [N, K]; 0 where nobody was asked."""
        if self.annotations is None:
            return np.zeros(self.beliefs.shape, dtype=np.int64)
        return self.annotations.votes(*self.beliefs.shape)

    @property
    def annotators(self) -> str:
        """A row of comma-separated values for each annotator, of a ``crowd``."""
        assert self.crowd
        return crowd.table(self.crowd, self.labels, self.classes)

    def table(self, learned: np.ndarray) -> str:
        """A row of comma-separated values for each item, the most suspicious first, with a ``label`` for a person to
        write. learned: what a student learns, [N, K].
        """
        proposed, findings = self.proposed, self.findings
        records = [
            {
                self.named: safe(str(self.names[item])),
                GIVEN: safe(self.classes[self.labels[item]]),
                "proposed": safe(self.classes[proposed[item]]),
                CORRECTED: "",
                "suspect": "yes" if findings.is_suspect[item] else "no",
                "rank": int(findings.ranks[item]),
                "belief_in_given": f"{self.beliefs[item, self.labels[item]]:.4f}",
                "right": f"{findings.classes[item, self.labels[item]]:.4f}",
                "confidence": f"{self.beliefs[item].max():.4f}",
                **self._agreement(item),
                **{f"learned_{name}": f"{learned[item, k]:.4f}" for k, name in enumerate(self.classes)},
            }
            for item in np.argsort(findings.ranks)
        ]
        return written(records)

    def _agreement(self, item: int) -> dict[str, str | int]:
        """How many annotators labelled an item, and which share of them agrees with its label, if some were asked."""
        if self.annotations is None:
            return {}
        num = int(self.votes[item].sum())
        return {"annotators": num, "agree": f"{self.votes[item, self.labels[item]] / num:.4f}" if num else ""}


def precision_recall(is_wrong: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares [N] of the first n that are wrong, and of all wrong ones that are among these; is_wrong, places: [N]."""
    num_wrong = is_wrong[np.argsort(places)].cumsum()
    return num_wrong / np.arange(1, len(places) + 1), num_wrong / max(1, num_wrong[-1])


def average_precision(is_wrong: np.ndarray, places: np.ndarray) -> float:
    """Area under precision over recall: its mean over the wrong ones."""
    return float(precision_recall(is_wrong, places)[0][is_wrong[np.argsort(places)]].mean())
