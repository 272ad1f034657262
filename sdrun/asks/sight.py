"""What is seen of data, network and machine before anything is planned. Imports no torch."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sdrun import tasks
from sdrun.asks.labels import wrong
from sdrun.data.splits import split
from sdrun.errors import require
from sdrun.settings import Settings, Situation
from sdrun.settings.words import counted

FEW = 0.5
"""Of the items, the share with a label up to which these are few."""

FEWEST = 3
"""Labels of each class."""

SUSPECT = 0.03
"""The share of wrong labels from which on they matter, by the lower end of its interval."""


@dataclass(frozen=True)
class Sight:
    """``num`` items for training, of which ``num_labelled`` have a label; ``rarest`` and ``commonest``: how many labels
    there are of such a class; ``wrong``: the share of wrong labels with its interval, None where nothing tells.

    ``alone``: seconds of a step of plain training where nothing else runs, ``together`` where ``at_once`` jobs do.
    """

    kind: str
    num: int
    num_labelled: int
    num_classes: int
    num_validation: int
    num_test: int
    rarest: int
    commonest: int
    network: str
    wrong: tuple[float, float, float] | None
    alone: float = 0.0
    together: float = 0.0
    at_once: int = 1

    @property
    def situations(self) -> set[Situation]:
        """What somebody has who has these data; that of a small network is for anybody."""
        is_few = self.num_labelled <= FEW * self.num
        situations = {Situation.small, Situation.few_labels if is_few else Situation.many_labels}
        if self.wrong and self.wrong[1] > SUSPECT:
            situations.add(Situation.wrong_labels)
        return situations

    def lines(self) -> list[str]:
        """Five lines about it."""
        share = f", {100 * self.num_labelled / self.num:.3g} %" if self.num_labelled < self.num else ", all"
        each = f"{self.rarest:,}" if self.rarest == self.commonest else f"{self.rarest:,} to {self.commonest:,}"
        if self.wrong is None:
            noise = "how many are wrong a quick look cannot tell"
        elif self.wrong[2] < 0.005:
            noise = "hardly any seems wrong"
        else:
            noise = "about {:.0f} % [{:.0f}, {:.0f}] seem wrong".format(*(100 * share for share in self.wrong))
        pace = f"{1000 * self.alone:.3g} ms by itself"
        if self.at_once > 1:
            pace += f", {1000 * self.together:.3g} ms with {self.at_once} jobs at once"
        return [
            f"{self.num:,} {self.kind} for training, {self.num_validation:,} for validation, {self.num_test:,} to test",
            f"{self.num_classes:,} classes; {self.num_labelled:,} labels{share}, {each} of each",
            f"labels: {noise}",
            f"network: {self.network}",
            f"a step of plain training: {pace}",
        ]

    def at_pace(self, alone: float, together: float, at_once: int) -> "Sight":
        return replace(self, alone=alone, together=together, at_once=at_once)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def seen(settings: Settings) -> Sight:
    """Of the data alone. Raises InputError where there is nothing to ask of them."""
    published = tasks.load(settings.dataset)
    dataset = tasks.measured(settings.dataset, published)
    require(dataset.stream is None, "dataset.stream", "changes what there is to learn; leave it out of what is asked")
    splits = split(published, dataset)
    labels, num_classes = splits.train.labels[splits.labelled], len(splits.classes)
    require(len(labels) > 0, "dataset.num_labels", "leaves no label, and without one nothing can be tuned or judged")
    require(len(splits.validation) > 0, "dataset.val_size", "is 0, and trials are chosen by validation; hold some out")
    from sdrun import models
    from sdrun.models.backbone import shape_of

    sizes = np.bincount(labels, minlength=num_classes)
    rarest, num = splits.counts.rarest
    few = f"has {counted(num, 'label')} of {rarest}, too few to learn it and be judged; merge classes, or label more"
    require(num >= FEWEST, "dataset.num_labels" if dataset.num_labels else "dataset", few)
    network = shape_of(models.shape(settings.model, dataset.fed(published.item)))
    return Sight(
        str(published.item),
        len(splits.train),
        len(labels),
        num_classes,
        len(splits.validation),
        len(published.test),
        int(sizes.min()),
        int(sizes.max()),
        f"{settings.model.title}, {network.num_parameters:,} parameters",
        wrong(splits.train.take(splits.labelled).fields, labels, num_classes),
    )


def from_json(document: dict[str, Any]) -> Sight:
    of_labels = document["wrong"]
    return Sight(**{**document, "wrong": tuple(of_labels) if of_labels else None})
