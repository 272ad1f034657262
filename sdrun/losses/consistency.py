"""How far a student is from its teacher's view of the same images. The teacher is detached."""

from torch import Tensor
from torch.nn import functional as F


def probability_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean_batch (1/K) sum_k (softmax(z_s) - softmax(z_t))^2`` (1703.01780). Both: logits [B, K]."""
    return F.mse_loss(student.softmax(dim=1), teacher.detach().softmax(dim=1))
