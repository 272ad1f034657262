"""DINO's loss over crops, and what keeps its targets from collapsing."""

import torch
from torch import Tensor
from torch.nn import functional as F

from sdrun.errors import InputError
from sdrun.ranks import OverRanks


def multi_crop(targets: Tensor, log_student: Tensor) -> Tensor:
    """Mean cross-entropy of every crop of the student with every global crop of the teacher but itself (2104.14294).

    targets: probabilities [G, B, K] of the global crops; log_student: log-probabilities [V, B, K] of all crops, the
    same global ones first. As each sum over v of <P_i, log q_v> is <P_i, sum over v>, no pair is formed.
    """
    num_pairs = len(targets) * (len(log_student) - 1)
    others = log_student.sum(dim=0) - log_student[: len(targets)]
    return -(targets * others).sum(dim=2).mean(dim=1).sum() / num_pairs


def centred(logits: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """``softmax((z - c) / tau)``. logits: [..., K]; centre: [K]."""
    return ((logits - centre) / temperature).softmax(dim=-1)


def sinkhorn(logits: Tensor, temperature: float, mean: OverRanks, iterations: int = 3) -> Tensor:
    """Sinkhorn-Knopp (2006.09882): probabilities whose sum over the batch is the same for every prototype.

    logits: cosines [N, K] of one rank; the sums over the batch are those of all ranks, but
    of one accumulated part.
    """
    q = ((logits.double() - 1) / temperature).exp()  # in float32 all of a prototype's entries could be 0
    for _ in range(iterations):
        q = q / (mean(q.mean(dim=0)) * q.shape[1])
        q = q / q.sum(dim=1, keepdim=True)
    return q.to(logits.dtype)


def koleo(features: Tensor) -> Tensor:
    """``-mean log ||x_i - nn(x_i)||`` on L2-normalised features [B, D], which spreads them evenly (1806.03198).

    Neighbours are looked for among these features alone: one rank's, of one accumulated part. Raises InputError for a
    single one.
    """
    if len(features) < 2:
        raise InputError("method.koleo: needs two images in each part of a batch; raise optim.batch_size")
    x = F.normalize(features.float(), dim=1)
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):  # bf16 cannot tell near features apart
        nearest = (x @ x.T).fill_diagonal_(-2).argmax(dim=1)
    return -(F.pairwise_distance(x, x[nearest]) + 1e-8).log().mean()
