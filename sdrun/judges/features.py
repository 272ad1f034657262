"""Numbers about features: nearest neighbours, a linear probe, effective rank."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KNN = (10, 20, 100, 200)
KNN_TEMPERATURE = 0.07


def knn_votes(
    queries: Tensor, references: Tensor, labels: Tensor, num_classes: int, neighbours: tuple[int, ...] = KNN
) -> dict[int, Tensor]:
    """Weighted votes [N, num_classes] of the k nearest references by cosine, for each k (1805.01978).

    queries: [N, D]; references: [M, D] with labels [M]. A neighbour's vote weighs ``exp(cosine / 0.07)``. Where fewer
    than k references are there, all vote.
    """
    references = F.normalize(references, dim=1)
    num = min(max(neighbours), len(references))
    votes: dict[int, list[Tensor]] = {k: [] for k in neighbours}
    for part in queries.split(1000):
        cosine, index = (F.normalize(part, dim=1) @ references.T).topk(num, dim=1)
        weight = (cosine / KNN_TEMPERATURE).exp()
        for k in neighbours:
            empty = weight.new_zeros(len(part), num_classes)
            votes[k].append(empty.scatter_add_(1, labels[index[:, :k]], weight[:, :k]))
    return {k: torch.cat(parts) for k, parts in votes.items()}


def rankme(features: Tensor) -> float:
    """Effective rank: the exponential of the entropy of the singular values of features [N, D] (2210.02885)."""
    squared = torch.linalg.eigvalsh(features.double().T @ features.double())
    singular = squared.clamp_min(0).sqrt()
    share = singular / singular.sum().clamp_min(1e-30) + 1e-12
    return float((-share * share.log()).sum().exp())


class Probe:
    """A linear classifier on frozen, standardised features: multinomial logistic regression, by L-BFGS.

    features: [N, D]; labels: [N]. ``decay``: weight of half the squared weights against the mean cross-entropy.
    """

    def __init__(self, features: Tensor, labels: Tensor, num_classes: int, decay: float) -> None:
        self.mean, self.std = features.mean(dim=0), features.std(dim=0, correction=0).clamp_min(1e-6)
        self.linear = nn.Linear(features.shape[1], num_classes, device=features.device)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        x = self._standardised(features)
        optimizer = torch.optim.LBFGS(self.linear.parameters(), max_iter=200, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            total = F.cross_entropy(self.linear(x), labels) + decay / 2 * self.linear.weight.square().sum()
            total.backward()
            return total

        optimizer.step(loss)

    @torch.no_grad()
    def __call__(self, features: Tensor) -> Tensor:
        """Logits [N, num_classes]."""
        return self.linear(self._standardised(features))

    def _standardised(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.std
