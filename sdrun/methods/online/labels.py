"""What a network says of items that nobody labelled, and which of that counts."""

import torch
from torch import Tensor

from sdrun.data.source import Fields
from sdrun.methods.online.settings import OnlineSettings
from sdrun.settings import TargetKind

LABEL, COUNTS, PREDICTION = "label", "counts", "prediction"


def pseudo_labels(logits: Tensor, settings: OnlineSettings) -> Fields:
    """logits: [N, K]. The ``label`` of each [N] or [N, K], whether it ``counts`` [N], and the ``prediction`` [N]."""
    probabilities = logits.double().softmax(dim=1)
    confidence, prediction = probabilities.max(dim=1)
    label = prediction if settings.targets is TargetKind.hard else probabilities.float()
    return {LABEL: label, COUNTS: confident(confidence, prediction, settings), PREDICTION: prediction}


def confident(confidence: Tensor, prediction: Tensor, settings: OnlineSettings) -> Tensor:
    """All but the share ``drop`` that is least so [N], in all or of each predicted class; of equals the first stay."""
    counts = torch.zeros(len(confidence), dtype=torch.bool, device=confidence.device)
    groups = [prediction == number for number in prediction.unique()] if settings.by_class else [~counts]
    for group in groups:
        members = group.nonzero().squeeze(1)
        order = confidence[members].argsort(descending=True, stable=True)
        counts[members[order[: len(members) - int(settings.drop * len(members))]]] = True
    return counts
