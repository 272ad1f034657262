"""Items that several people labelled, in a table of comma-separated values or as a dataset has them."""

from dataclasses import replace

import numpy as np

from sdrun.data.by_item import opened_items
from sdrun.data.consensus import Annotations, agreed
from sdrun.data.labelled import Published
from sdrun.errors import require
from sdrun.randomness import seed_of
from sdrun.settings import DatasetSettings

KEY = "dataset.annotations"
ANNOTATOR, LABEL = "annotator", "label"


def annotated(source: Published, settings: DatasetSettings) -> tuple[Published, Annotations | None]:
    """The dataset with its annotators' consensus for labels, and what each of them said of the training items.

    What a file says is all that is known; where a dataset has annotators of its own, it knows the truth as well, and
    the consensus is what a run is given. Raises InputError where a table is of other data.
    """
    if not settings.has_annotators:
        return source, None
    num_other = 0
    if settings.annotations:
        annotations, num_other = _read(settings, source)
    else:
        assert source.annotators
        annotations = source.annotators(settings.seed)
    seed = seed_of(settings.seed, "consensus")
    labels = agreed(annotations, settings.consensus, source.train.labels, len(source.classes), seed)
    num, num_annotators = len(annotations.labels), len(annotations.names)
    fact = f"{num:,} labels by {num_annotators:,} annotators; one of each item by {settings.consensus.value}"
    if num_other:
        fact = f"{fact}; {num_other:,} of items that are not for training are left out"
    if settings.annotations:
        source = replace(source, train=replace(source.train, labels=labels))
    else:
        source = replace(source, noisy=lambda _: labels)
    return replace(source, facts=(*source.facts, fact)), annotations


def _read(settings: DatasetSettings, source: Published) -> tuple[Annotations, int]:
    """What ``dataset.annotations`` says of items for training, and how many labels it has of others, such as those for
    testing, which keep what the data say.
    """
    items, annotators, labels, num_other = [], [], [], 0
    with opened_items(str(settings.annotations), source, KEY) as rows:
        of_annotator, of_label = (rows.table.place(KEY, name) for name in (ANNOTATOR, LABEL))
        for line, cells in rows:
            for name, place in ((ANNOTATOR, of_annotator), (LABEL, of_label)):
                require(bool(cells[place]), rows.table.at(line), f"has no {name}; write it, or remove the row")
            label, item = rows.label(line, cells[of_label]), rows.lookup(cells)
            if item is None:
                num_other += 1
            else:
                items.append(item)
                annotators.append(cells[of_annotator])
                labels.append(label)
    none = f"{settings.annotations} has no {source.named} of the {len(source.train):,} items for training"
    require(bool(items), KEY, f"{none}; its column {source.named} is to name them")
    names, numbers = np.unique(annotators, return_inverse=True)
    return Annotations(np.array(items), numbers, np.array(labels), names), num_other
