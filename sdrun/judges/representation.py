"""Backbones that were trained without labels are judged by what their frozen features tell of the labels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from sdrun.judges.classification import doubts_of, pictures_of, scored
from sdrun.judges.drawing import Draw
from sdrun.judges.features import KNN, Probe, knn_votes, rankme
from sdrun.judges.judge import Evaluable, Networks, Outcome, TrainingJudge, prefixed
from sdrun.judges.metric import CLASSIFICATION, REPRESENTATION
from sdrun.judges.parts import Parts, require_finite
from sdrun.models.backbone import Attentive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADLINE = 20
DECAYS = (1e-1, 1e-2, 1e-3, 1e-4)
DEFAULT_DECAY = 1e-2
SHOWN = 8
"""Items of which neighbours and attention are drawn."""

FEWEST_MAPPED = 4
"""Images of which a map is drawn: t-SNE looks at the distances to a quarter of them, at least one."""


class Representation(TrainingJudge):
    """k-NN, a linear probe and the rank of a backbone's final features.

    References of k-NN and training set of the probe are the labelled training images. ``knn_accuracy`` is that of 20
    neighbours. The predictions, and with them accuracy and calibration, are the linear probe's; its weight decay is
    the one with the least validation NLL, or 0.01 without validation.
    """

    declared = (*REPRESENTATION, *CLASSIFICATION)

    def __init__(self, data: Parts) -> None:
        self.data = data
        self.num_classes = len(data.splits.classes)
        self.references = data.splits.labelled
        self.reference_labels = self._on_device(data.labels["train"][self.references])

    def doubts(self, metrics: Mapping[str, float]) -> list[str]:
        return doubts_of(metrics, self.data, self.declared[0])

    def validate(self, networks: Networks) -> dict[str, float]:
        word, network = next(iter(networks.items()))
        features = self.data.outputs(network, "val")
        votes = self._votes(features, self.data.outputs(network, "train", self.references), (HEADLINE,))
        return prefixed(
            "val", word, {"knn_accuracy": self._accuracy(votes[HEADLINE], "val"), "rankme": rankme(features)}
        )

    def score(self, metrics: dict[str, float]) -> list[float]:
        return [metrics["val/knn_accuracy"]]

    def full(self, networks: Networks) -> Outcome:
        metrics: dict[str, float] = {}
        for word, network in networks.items():
            references = self.data.outputs(network, "train", self.references)
            features = {part: self.data.outputs(network, part) for part in self.data.held_out}
            for part, x in features.items():
                metrics |= prefixed(part, word, {**self._knn(x, references, part), "rankme": rankme(x)})
            if word == "":
                logits = self._probe(references, features)
                metrics |= scored(logits, self.data)
                main, main_references, main_features = network, references, features["test"]
        predictions = {f"{part}_logits": z for part, z in logits.items()}
        pictures = pictures_of(logits["test"], self.data, metrics)
        return Outcome(metrics, predictions, pictures | self._pictures(main, main_references, main_features))

    def _knn(self, features: Tensor, references: Tensor, part: str) -> dict[str, float]:
        votes = self._votes(features, references, KNN)
        accuracies = {f"knn_{k}_accuracy": self._accuracy(votes[k], part) for k in KNN}
        return {"knn_accuracy": accuracies.pop(f"knn_{HEADLINE}_accuracy"), **accuracies}

    def _probe(self, references: Tensor, features: dict[str, Tensor]) -> dict[str, np.ndarray]:
        """Logits of the best probe, by part."""
        decays = DECAYS if "val" in features else (DEFAULT_DECAY,)
        probes = [Probe(references, self.reference_labels, self.num_classes, decay) for decay in decays]
        best = probes[0]
        if "val" in features:
            labels = self._on_device(self.data.labels["val"])
            best = min(probes, key=lambda probe: float(cross_entropy(probe(features["val"]), labels)))
        logits = {part: best(x) for part, x in features.items()}
        require_finite("the linear probe's logits", logits.values())
        return {part: z.cpu().numpy() for part, z in logits.items()}

    def _pictures(self, network: Evaluable, references: Tensor, features: Tensor) -> dict[str, Draw]:
        pictures: dict[str, Draw] = {}
        if len(features) >= FEWEST_MAPPED:
            pictures["test/features"] = lambda: self._map(features)
        if self.data.task.picture:
            pictures["test/neighbours"] = lambda: self._neighbours(features[:SHOWN], references)
            if isinstance(network, Attentive):
                pictures["test/attention"] = lambda: self._attention(network)
        return pictures

    def _map(self, features: Tensor) -> "Figure":
        from sdrun.judges import maps

        labels, classes = self.data.labels["test"], self.data.splits.classes
        return maps.feature_map(features.cpu().numpy(), labels, classes, torch.get_num_threads())

    @torch.no_grad()
    def _attention(self, network: Attentive) -> "Figure":
        from sdrun.judges import maps

        heat = network.attention(self.data.first("test", SHOWN))
        return maps.attention(self.data.pictures("test", np.arange(len(heat))), heat.float().cpu().numpy())

    def _neighbours(self, features: Tensor, references: Tensor) -> "Figure":
        """Test items from the first on, as many as there are features, and their nearest references."""
        from sdrun.judges import maps

        data = self.data
        num = min(8, len(references))
        cosine, index = (normalize(features, dim=1) @ normalize(references, dim=1).T).topk(num, dim=1)
        nearest = data.pictures("train", self.references[index.flatten().cpu().numpy()])
        right = self.reference_labels[index].cpu().numpy() == data.labels["test"][: len(index), None]
        nearest = nearest.reshape(*index.shape, *nearest.shape[1:])
        images = data.pictures("test", np.arange(len(features)))
        return maps.neighbours(images, nearest, right, cosine.cpu().numpy())

    def _votes(self, features: Tensor, references: Tensor, neighbours: tuple[int, ...]) -> dict[int, Tensor]:
        return knn_votes(features, references, self.reference_labels, self.num_classes, neighbours)

    def _accuracy(self, votes: Tensor, part: str) -> float:
        return float((votes.argmax(dim=1) == self._on_device(self.data.labels[part])).float().mean())

    def _on_device(self, labels: np.ndarray) -> Tensor:
        return torch.as_tensor(labels, device=self.data.device)
