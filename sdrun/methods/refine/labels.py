"""What a round makes of given labels and of beliefs about them."""

import torch
from torch import Tensor
from torch.nn import functional as F

from sdrun.errors import require
from sdrun.losses.distillation import top_two
from sdrun.methods.refine.settings import Action, RefineSettings
from sdrun.settings import TargetKind


def refined(settings: RefineSettings, observed: Tensor, beliefs: Tensor, is_suspect: Tensor, classes: Tensor) -> Tensor:
    """Labels [N, K] to learn from, each a share of the classes; nothing but 0 for an item that is to be left out.

    observed: labels as they are, shares of the classes [N, K]; beliefs: such as well, of models that did not see the
    item; is_suspect: [N]; classes: what items are by their label and these beliefs, [N, K]. A label that is reweighted
    sums to its weight, 1 in the mean; one that is mixed by more than 1 has less than nothing of what it was. Raises
    InputError where nothing is left to learn from.
    """

    def of_kind(chances: Tensor) -> Tensor:
        return shares(chances.argmax(dim=1), chances.shape[1]) if settings.targets is TargetKind.hard else chances

    if settings.action is Action.mix:
        return (1 - settings.alpha) * observed + settings.alpha * of_kind(beliefs)
    if settings.action is Action.posterior:
        return of_kind(classes)
    if settings.action is Action.relabel:
        return torch.where(is_suspect[:, None], of_kind(classes), observed)
    if settings.action is Action.top2:
        return top_two(beliefs.log()).softmax(dim=1)
    if settings.action is Action.drop:
        num_left = int((~is_suspect).sum())
        few = "drop would leave no item: models that say what they believe know too little; see method.belief_length"
        require(num_left > 0, "method.action", few)
        return observed * ~is_suspect[:, None]
    weight = (observed * beliefs).sum(dim=1, keepdim=True)
    return observed * weight / weight.mean()


def shares(labels: Tensor, num_classes: int) -> Tensor:
    """Labels [N] as shares of the classes [N, K]; what is such already stays."""
    return labels.float() if labels.ndim == 2 else F.one_hot(labels, num_classes).float()
