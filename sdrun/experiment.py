"""What a recipe works with: students, streams, and stages that train once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sdrun import loop, models
from sdrun.datasets.images import Splits
from sdrun.display import Display
from sdrun.evaluation.classification import Classification
from sdrun.evaluation.evaluator import Data, Evaluable, Evaluation
from sdrun.evaluation.representation import Representation
from sdrun.hardware import Hardware
from sdrun.interrupt import Interrupt
from sdrun.models.backbone import Network, classifier
from sdrun.objectives.objective import Objective
from sdrun.randomness import seed_of
from sdrun.results import Results
from sdrun.settings import Settings
from sdrun.storage.checkpoints import Checkpoints, load_state
from sdrun.storage.folder import RunFolder
from sdrun.storage.initial import initial
from sdrun.storage.record import Record
from sdrun.streams.images import ImageStream, Paired
from sdrun.teachers.frozen import Frozen
from sdrun.views.view import Normalise, View


@dataclass(frozen=True)
class Stage:
    """A finished stage: its network with the weights that count, and the hash of the file that they came from."""

    name: str
    network: nn.Module
    sha256: str
    metrics: dict[str, float]


class Experiment:
    """One run's data, hardware and folder, as a recipe uses them.

    ``results`` collects the finished stages in order: ``{name, steps, seconds, samples_per_second, metrics, ...}``.
    Only the first rank has a ``record``; it alone evaluates and writes.
    """

    def __init__(
        self,
        settings: Settings,
        splits: Splits,
        hardware: Hardware,
        folder: RunFolder,
        record: Record | None,
        display: Display,
        interrupt: Interrupt,
        results: list[dict[str, Any]],
    ) -> None:
        self.settings, self.splits, self.hardware, self.folder = settings, splits, hardware, folder
        self.record, self.display, self.interrupt, self.results = record, display, interrupt, results
        data, device = settings.dataset, hardware.device
        self.clean = Normalise(data.mean, data.std, device, hardware.channels_last)
        parts = {"train": splits.train, "val": splits.validation, "test": splits.test}
        self.images = {name: torch.tensor(part.images, device=device) for name, part in parts.items()}
        self.data = Data(splits, self.images, self.clean, hardware.autocast)
        self.labels = torch.tensor(self.data.labels["train"], device=device)
        self.labelled = torch.tensor(splits.labelled, device=device)
        self.initial = initial(settings)
        self.classification, self.representation = Classification(self.data), Representation(self.data)

    # What recipes call ----------------------------------------------------------------------------------------------

    def student(self, index: int, head: Callable[[int], nn.Module] | None = None) -> Network:
        """A fresh network for the stage number ``index``, initialised from (seed, index) and ``init_from`` alone.

        ``head`` makes what stands on the backbone, given the number of its features; by default a linear classifier.
        """
        channels, size = self.splits.train.images.shape[1:3]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(self.settings.seed, index, "init"))
            backbone = models.backbone(self.settings.model, channels, size)
            num_features, num_classes = backbone.num_features, len(self.splits.classes)
            student = Network(backbone, head(num_features)) if head else classifier(backbone, num_classes)
        if self.initial:
            self.initial.load_into(student.backbone)
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

    def num_steps(self, stream: ImageStream | Paired) -> int:
        """Steps of a stage on this stream."""
        return loop.num_steps(self.settings, stream)

    def frozen(self, stages: Sequence[Stage], role: str = "weak") -> Frozen:
        """The students of finished stages as one teacher, which sees the view ``role``."""
        lineage = [{"stage": stage.name, "sha256": stage.sha256} for stage in stages]
        return Frozen([stage.network for stage in stages], self.hardware.autocast, role, lineage)

    def fit(
        self, name: str, objective: Objective, stream: ImageStream | Paired, evaluation: Evaluation | None = None
    ) -> Stage:
        """Train and evaluate the stage ``name``, or what is left of it, and return its network.

        A finished stage is not run again; a half-done one goes on from its last checkpoint. ``evaluation`` is
        ``classification`` unless it is said.
        """
        evaluation = evaluation or self.classification
        from_main = self.hardware.from_main
        result = from_main(lambda: self.folder.finished(name))
        if result is None:
            state = self._train(name, objective, stream, evaluation)
            result = from_main(lambda: self._results(evaluation).of_training(name, objective, stream, state))
        if self.record:
            Checkpoints(self.folder.stage(name)).clear()
        self.results.append(result)
        chosen = self.settings.optim.select.value
        objective.load_state_dict(load_state(self.folder.stage(name) / f"{chosen}.pt", self.hardware.device))
        network = next(iter(objective.networks.values()))
        return Stage(name, network.eval(), result["sha256"][chosen], result["metrics"])

    def evaluate(self, name: str, network: Evaluable, evaluation: Evaluation | None = None) -> None:
        """Evaluate a network as a stage of its own that trains nothing."""

        def result() -> dict[str, Any]:
            assert self.record
            if found := self.folder.finished(name):
                return found
            self.record.begin(name, 1, self._position())
            return self._results(evaluation or self.classification).of_evaluation(name, network)

        self.results.append(self.hardware.from_main(result))

    # How a stage is trained ------------------------------------------------------------------------------------------

    def _stream(
        self, labels: Tensor, pool: Tensor, views: dict[str, int], times: int, words: tuple[object, ...]
    ) -> ImageStream:
        settings, hardware = self.settings, self.hardware
        seen = {role: (View(settings.dataset.views[role], self.clean), num) for role, num in views.items()}
        parts = hardware.world * settings.optim.accumulate
        size = min(settings.optim.batch_size, len(labels) // parts * parts) * times
        return ImageStream(self.images["train"], labels, seen, pool, size, words, hardware.rank, hardware.world)

    def _position(self) -> int:
        """Length of ``metrics.jsonl`` at the end of the last finished stage."""
        return self.results[-1]["position"] if self.results else 0

    def _results(self, evaluation: Evaluation) -> Results:
        assert self.record
        return Results(self.settings, self.data, evaluation, self.folder, self.record, self.display)

    def _train(
        self, name: str, objective: Objective, stream: ImageStream | Paired, evaluation: Evaluation
    ) -> loop.State:
        checkpoints = Checkpoints(self.folder.stage(name))
        newest = self.hardware.from_main(checkpoints.newest)
        saved = load_state(newest, self.hardware.device) if newest else None
        recorder: loop.Recorder = _Silent()
        if self.record:
            self.folder.update_manifest(teachers={**self.folder.manifest["teachers"], name: objective.teachers})
            self.record.begin(name, stream.steps_per_epoch, saved["position"] if saved else self._position())
            num_steps = loop.num_steps(self.settings, stream)
            self.display.begin(name, num_steps, stream.steps_per_epoch, saved["state"]["step"] if saved else 0)
            recorder = _Recorder(self.record, self.display, checkpoints)
        has_validation = len(self.splits.validation) > 0
        return loop.train(
            objective,
            stream,
            self.settings,
            self.hardware,
            saved,
            evaluation if has_validation else None,
            recorder,
            self.interrupt,
        )


class _Recorder:
    """Numbers to the record and the display; state to a checkpoint that knows how much was recorded before it."""

    def __init__(self, record: Record, display: Display, checkpoints: Checkpoints) -> None:
        self.record, self.display, self.checkpoints = record, display, checkpoints

    def log(self, step: int, values: dict[str, float]) -> None:
        self.record.log(step, values)
        self.display.update(step, values)

    def save(self, step: int, state: dict[str, Any]) -> None:
        self.checkpoints.save(step, {**state, "position": self.record.position()})


class _Silent:
    """The recorder of every rank but the first."""

    def log(self, step: int, values: dict[str, float]) -> None: ...

    def save(self, step: int, state: dict[str, Any]) -> None: ...
