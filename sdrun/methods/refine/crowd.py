"""What labels seem to be, by what each of several annotators says and what models believe. Imports no torch.

Annotators are trusted as far as they agree with the consensus, and models as well (Goh et al. 2022, 2210.06812). What
models believe, as sure as they are right of the consensus, is what is known of an item before anybody labels it; each
label then counts by how often its annotator gives it to each class, by Bayes' rule. These are the first steps of Dawid
and Skene (1979) alone, for with few labels of an item further ones may lead away.
"""

from collections.abc import Sequence

import numpy as np

from sdrun.data.by_item import safe, written
from sdrun.data.consensus import Annotations, Crowd, classes_of, habits_of
from sdrun.finders import anchors
from sdrun.finders.anchors import calibrated
from sdrun.finders.findings import Findings, ranked, resampled

STEPS = 2
"""From the consensus to classes, and from these to further ones."""
SAMPLES = 200
"""Of items, to tell how sure the share of wrong labels is."""


def crowd_of(labels: np.ndarray, beliefs: np.ndarray, annotations: Annotations) -> Crowd | None:
    """What is believed of the items that several people labelled, and of the others by anchors. None where no item has
    several labels, by which people would tell of each other.

    labels: the consensus [N]; beliefs: probabilities [N, K] of models that did not see the item.
    """
    has_several = annotations.num_people(len(labels)) > 1
    if not has_several.any():
        return None
    before, classes = calibrated(labels, beliefs), np.eye(beliefs.shape[1])[labels]
    for _ in range(STEPS):
        habits = habits_of(annotations, classes * has_several[:, None])
        classes = classes_of(annotations, habits, before)
    of_others = anchors.find(labels, beliefs).classes
    return Crowd(annotations, np.where(has_several[:, None], classes, of_others), habits)


def find(labels: np.ndarray, crowd: Crowd) -> Findings:
    """labels: the consensus [N]."""
    right = crowd.classes[np.arange(len(labels)), labels]
    shares = np.stack([crowd.classes[labels == label].sum(axis=0) for label in range(crowd.classes.shape[1])], axis=1)
    return Findings(
        right < 0.5,
        ranked(right),
        crowd.classes,
        float(1 - right.mean()),
        shares / shares.sum(axis=1, keepdims=True).clip(min=1e-300),
        lambda seed: resampled(lambda rows: float(1 - right[rows].mean()), len(labels), seed, SAMPLES),
    )


def accuracy(crowd: Crowd) -> float:
    """The share of single labels that are right, as it is believed."""
    return float(crowd.classes[crowd.annotations.items, crowd.annotations.labels].mean())


def summary(crowd: Crowd) -> str:
    """In a line."""
    right, num = crowd.reliability, len(crowd.annotations.names)
    return (
        f"{num:,} annotators, {accuracy(crowd):.1%} of whose labels seem right; of one {right.min():.1%} to "
        f"{right.max():.1%}"
    )


def table(crowd: Crowd, labels: np.ndarray, classes: Sequence[str]) -> str:
    """A row of comma-separated values for each annotator, the least reliable first: how often the labels seem right and
    agree with the consensus ``labels`` [N], and the most frequent mistake, if any, which ``says`` one class ``of``
    another.
    """
    annotations, right, mistakes = crowd.annotations, crowd.reliability, crowd.mistakes
    counts = np.bincount(annotations.annotators)
    agreeing = np.bincount(annotations.annotators, annotations.labels == labels[annotations.items])
    records = []
    for one in np.argsort(right, kind="stable"):
        true, given = np.unravel_index(mistakes[one].argmax(), mistakes[one].shape)
        makes_any = mistakes[one].max() > 0.5
        record = {
            "annotator": safe(str(annotations.names[one])),
            "labels": int(counts[one]),
            "right": f"{right[one]:.4f}",
            "agrees": f"{agreeing[one] / counts[one]:.4f}",
            "says": safe(classes[given]) if makes_any else "",
            "of": safe(classes[true]) if makes_any else "",
        }
        records.append(record)
    return written(records)
