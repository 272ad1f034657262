"""What is learned of items of which several classes are right."""

import torch
from torch import Tensor
from torch.nn import functional as F

from sdrun.methods.continual.settings import OWN, Targets
from sdrun.randomness import generator


def learned(targets: Targets, right: Tensor, *words: object) -> Tensor:
    """The labels of items: classes [N], shares of these [N, K], or of which any will do [N, K] bool.

    right: [N, K] bool. What is drawn by chance follows the words.
    """
    if targets is Targets.uniform:
        return F.normalize(right.float(), p=1, dim=1)
    if targets is Targets.random:
        chances = torch.rand(right.shape, generator=generator(*words)).to(right.device)
        return chances.masked_fill(~right, -1).argmax(dim=1)
    if targets is Targets.any or targets in OWN:
        return right
    return right.float().argmax(dim=1)  # of equals the first
