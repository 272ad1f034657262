"""What networks say of items that nobody labelled, which of that counts, and how much of it is likely right."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sdrun.data.source import Fields
from sdrun.methods.online.settings import OnlineSettings
from sdrun.settings import TargetKind

LABEL, COUNTS, PREDICTION, LIKELY = "label", "counts", "prediction", "likely"


class Said:
    """What several networks say of items: the mean of their ``probabilities`` [N, K], and where they ``agree`` [N]."""

    def __init__(self, logits: Sequence[Tensor]) -> None:
        each = torch.stack([one.double().softmax(dim=1) for one in logits])
        self.probabilities = each.mean(dim=0)
        self.agree = (each.argmax(dim=2) == each[0].argmax(dim=1)).all(dim=0)
        self.confidence, self.prediction = self.probabilities.max(dim=1)


@dataclass(frozen=True)
class Validated:
    """Validation items [M]: how confident the same networks are of each, and whether they are right."""

    confidence: Tensor
    is_right: Tensor

    def at_precision(self, least: float) -> float:
        """The least confidence from which on so large a share is right; infinity where there is none."""
        confidence, order = self.confidence.sort(descending=True, stable=True)
        share = self.is_right[order].double().cumsum(dim=0) / torch.arange(1, len(order) + 1, device=order.device)
        ends = torch.ones_like(self.is_right)
        ends[:-1] = confidence[:-1] > confidence[1:]  # of equals, all or none
        enough = confidence[ends & (share >= least)]
        return float(enough[-1]) if len(enough) else float("inf")

    def at_accuracy(self) -> float:
        """The confidence below which there are as many items as are wrong (ATC, 2201.04234)."""
        num_wrong = int((~self.is_right).sum())
        return float(self.confidence.sort().values[num_wrong]) if num_wrong < len(self.is_right) else float("inf")


def pseudo_labels(said: Said, validated: Validated | None, settings: OnlineSettings) -> Fields:
    """Of each item [N] the ``label`` ([N, K] where soft), whether it ``counts``, and the ``prediction``.

    With validation items also whether it is ``likely`` right: the share of those estimates the accuracy.
    """
    label = said.prediction if settings.targets is TargetKind.hard else said.probabilities.float()
    if settings.precision is None:
        counts = confident(said.confidence, said.prediction, settings)
    else:
        assert validated
        counts = said.confidence >= validated.at_precision(settings.precision)
    fields = {LABEL: label, COUNTS: counts & said.agree, PREDICTION: said.prediction}
    return fields | ({LIKELY: said.confidence >= validated.at_accuracy()} if validated else {})


def confident(confidence: Tensor, prediction: Tensor, settings: OnlineSettings) -> Tensor:
    """All but the share ``drop`` that is least so [N], in all or of each predicted class; of equals the first stay."""
    counts = torch.zeros(len(confidence), dtype=torch.bool, device=confidence.device)
    groups = [prediction == number for number in prediction.unique()] if settings.by_class else [~counts]
    for group in groups:
        members = group.nonzero().squeeze(1)
        order = confidence[members].argsort(descending=True, stable=True)
        counts[members[order[: len(members) - int(settings.drop * len(members))]]] = True
    return counts
