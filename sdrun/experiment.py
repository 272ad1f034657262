"""What a recipe works with: students, streams, and stages that train once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sdrun import loop, models
from sdrun.context import Context
from sdrun.evaluation.classification import Classification
from sdrun.evaluation.evaluator import Evaluable, Evaluation, TrainingEvaluation
from sdrun.evaluation.representation import Representation
from sdrun.models.backbone import Backbone, classifier
from sdrun.objectives.objective import Objective
from sdrun.randomness import seed_of
from sdrun.settings import CLEAN
from sdrun.storage.initial import initial
from sdrun.storage.stage import StageResult
from sdrun.streams.batch import Stream
from sdrun.streams.images import ClassPairs, ImageStream, Paired
from sdrun.teachers.frozen import Frozen
from sdrun.views.view import Normalise, View


@dataclass(frozen=True)
class Stage:
    """A finished stage: its network with the weights that count, and the hash of the file that they came from."""

    name: str
    network: nn.Module
    sha256: str
    metrics: dict[str, float]


class Stages(Protocol):
    """Where the stages of an experiment come from: ``training.Training`` or ``replay.Replay``, on every rank."""

    def fit(self, name: str, objective: Objective, stream: Stream, evaluation: TrainingEvaluation) -> StageResult:
        """The result of a stage. Leaves the objective with its final weights."""

    def evaluate(self, name: str, network: Evaluable, evaluation: Evaluation) -> StageResult:
        """The result of a stage that trains nothing."""


class Experiment:
    """One run's data, hardware and stages, as a recipe uses them."""

    def __init__(self, context: Context, stages: Stages) -> None:
        self.settings, self.hardware, self.stages = context.settings, context.hardware, stages
        self.data = data = context.data
        device = context.hardware.device
        self.labels = torch.tensor(data.labels["train"], device=device)
        self.labelled = torch.tensor(data.splits.labelled, device=device)
        self.initial = initial(context.settings)
        self.classification, self.representation = Classification(data), Representation(data)

    def student(self, index: int, make: Callable[[Backbone, int], Any] = classifier) -> Any:
        """A fresh network for the stage number ``index``, initialised from (seed, index) and ``init_from`` alone.

        ``make`` puts heads on a backbone, given the number of classes; by default a linear classifier.
        """
        channels, size = self.data.splits.train.images.shape[1:3]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(self.settings.seed, index, "init"))
            backbone = models.backbone(self.settings.model, channels, size)
            student = make(backbone, len(self.data.splits.classes))
        if self.initial:
            self.initial.load_into(backbone)
        return self.hardware.place(student)

    def stream(self, index: int, views: dict[str, int] | None = None) -> ImageStream:
        """The labelled images, ordered and augmented by (seed, index, step) alone.

        An epoch has as many steps as it would if all images had labels. ``views``: how many views of each role an
        image has in a batch; by default one that is weak.
        """
        return self._stream(self.labels, self.labelled, views or {"weak": 1}, 1, (self.settings.seed, index))

    def unlabelled(self, index: int, views: dict[str, int], times: int = 1) -> ImageStream:
        """All training images without their labels, ``times`` as many a step as a labelled batch has."""
        everything = torch.arange(len(self.labels), device=self.labels.device)
        hidden = torch.full_like(self.labels, -1)
        return self._stream(hidden, everything, views, times, (self.settings.seed, index, "unlabelled"))

    def paired(self, index: int, views: dict[str, int], unlabelled: dict[str, int], ratio: int) -> Paired:
        """Labelled images as ``views``, and for each of them ``ratio`` without labels as ``unlabelled``."""
        return Paired(self.stream(index, views), self.unlabelled(index, unlabelled, ratio))

    def class_pairs(self, index: int, role: str) -> ClassPairs:
        """Labelled images, each with another one of its class as a second view."""
        return ClassPairs(self.stream(index, {role: 1}))

    def num_steps(self, stream: Stream) -> int:
        """Steps of a stage on this stream."""
        return loop.num_steps(self.settings, stream)

    def frozen(self, stages: Sequence[Stage], role: str = "weak") -> Frozen:
        """The students of finished stages as one teacher, which sees the view ``role``."""
        lineage = [{"stage": stage.name, "sha256": stage.sha256} for stage in stages]
        return Frozen([stage.network for stage in stages], self.hardware.autocast, role, lineage)

    def fit(
        self,
        name: str,
        objective: Objective,
        stream: Stream,
        evaluation: TrainingEvaluation | None = None,
    ) -> Stage:
        """Train and evaluate the stage ``name``, or what is left of it, and return its network.

        A finished stage is not run again; a half-done one goes on from its last checkpoint. ``evaluation`` is
        ``classification`` unless it is said.
        """
        result = self.stages.fit(name, objective, stream, evaluation or self.classification)
        network = next(iter(objective.networks.values()))
        sha256 = result.sha256[self.settings.optim.select.value]
        return Stage(name, network.eval(), sha256, result.metrics)

    def evaluate(self, name: str, network: Evaluable, evaluation: Evaluation | None = None) -> None:
        """Evaluate a network as a stage of its own that trains nothing."""
        self.stages.evaluate(name, network, evaluation or self.classification)

    def _stream(
        self, labels: Tensor, pool: Tensor, views: dict[str, int], times: int, words: tuple[object, ...]
    ) -> ImageStream:
        settings, hardware, data = self.settings, self.hardware, self.data
        seen = {role: (self._view(role), num) for role, num in views.items()}
        parts = hardware.world * settings.optim.accumulate
        size = min(settings.optim.batch_size, len(labels) // parts * parts) * times
        return ImageStream(data.images["train"], labels, seen, pool, size, words, hardware.rank, hardware.world)

    def _view(self, role: str) -> View | Normalise:
        clean = self.data.clean
        return clean if role == CLEAN else View(self.settings.dataset.views[role], clean)
