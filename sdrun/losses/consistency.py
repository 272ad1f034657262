"""How far a student is from its teacher's view of the same items. The teacher is detached."""

from torch import Tensor


def probability_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """``mean_batch (1/K) sum_k (softmax(z_s) - softmax(z_t))^2`` (1703.01780). Both: logits [B, K]."""
    return probability_mse_each(student, teacher).mean()


def probability_mse_each(student: Tensor, teacher: Tensor) -> Tensor:
    """``probability_mse`` of each sample: [B]."""
    return (student.softmax(dim=1) - teacher.detach().softmax(dim=1)).square().mean(dim=1)
