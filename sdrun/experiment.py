"""What a recipe works with: students, streams, and stages that train once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sdrun import loop, models
from sdrun.datasets.images import Splits
from sdrun.display import Display
from sdrun.evaluation.evaluator import Evaluator, Network
from sdrun.hardware import Hardware
from sdrun.interrupt import Interrupt
from sdrun.models.backbone import Classifier
from sdrun.objectives.objective import Objective
from sdrun.randomness import seed_of
from sdrun.results import Results
from sdrun.settings import Settings
from sdrun.storage.checkpoints import Checkpoints, load_state
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record
from sdrun.streams.images import ImageStream
from sdrun.teachers.frozen import Frozen
from sdrun.views.view import Normalise, View


@dataclass(frozen=True)
class Stage:
    """A finished stage: its student with the weights that count, and the hash of the file that they came from."""

    name: str
    student: nn.Module
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
        self.labels = torch.tensor(splits.train.labels, device=device)
        self.evaluator = Evaluator(splits, self.images, self.clean, hardware.autocast)

    # What recipes call ----------------------------------------------------------------------------------------------

    def student(self, index: int) -> Classifier:
        """A fresh classifier for the stage number ``index``, initialised from (seed, index) alone."""
        channels, size = self.splits.train.images.shape[1:3]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(self.settings.seed, index, "init"))
            student = Classifier(models.backbone(self.settings.model, channels, size), len(self.splits.classes))
        return self.hardware.place(student)

    def stream(self, index: int, role: str = "weak") -> ImageStream:
        """The training images in the view ``role``, ordered and augmented by (seed, index, step) alone."""
        view = View(getattr(self.settings.dataset.views, role), self.clean)
        words = (self.settings.seed, index)
        rank, world = self.hardware.rank, self.hardware.world
        return ImageStream(self.images["train"], self.labels, view, role, self._batch_size(), words, rank, world)

    def frozen(self, stages: Sequence[Stage], role: str = "weak") -> Frozen:
        """The students of finished stages as one teacher, which sees the view ``role``."""
        lineage = [{"stage": stage.name, "sha256": stage.sha256} for stage in stages]
        return Frozen([stage.student for stage in stages], self.hardware.autocast, role, lineage)

    def fit(self, name: str, objective: Objective, stream: ImageStream) -> Stage:
        """Train and evaluate the stage ``name``, or what is left of it, and return its student.

        A finished stage is not run again; a half-done one goes on from its last checkpoint.
        """
        from_main = self.hardware.from_main
        result = from_main(lambda: self.folder.finished(name))
        if result is None:
            state = self._train(name, objective, stream)
            result = from_main(lambda: self._results().of_training(name, objective, stream, state))
        if self.record:
            Checkpoints(self.folder.stage(name)).clear()
        self.results.append(result)
        chosen = self.settings.optim.select.value
        objective.load_state_dict(load_state(self.folder.stage(name) / f"{chosen}.pt", self.hardware.device))
        return Stage(name, objective.student.eval(), result["sha256"][chosen], result["metrics"])

    def evaluate(self, name: str, network: Network) -> None:
        """Evaluate a network as a stage of its own that trains nothing."""

        def result() -> dict[str, Any]:
            assert self.record
            if found := self.folder.finished(name):
                return found
            self.record.begin(name, 1, self._position())
            return self._results().of_evaluation(name, network)

        self.results.append(self.hardware.from_main(result))

    # How a stage is trained ------------------------------------------------------------------------------------------

    def _batch_size(self) -> int:
        """The global batch: as set, or all images where there are fewer, in equal parts for ranks and accumulation."""
        parts = self.hardware.world * self.settings.optim.accumulate
        return min(self.settings.optim.batch_size, len(self.labels) // parts * parts)

    def _position(self) -> int:
        """Length of ``metrics.jsonl`` at the end of the last finished stage."""
        return self.results[-1]["position"] if self.results else 0

    def _results(self) -> Results:
        assert self.record
        return Results(self.settings, self.splits.classes, self.evaluator, self.folder, self.record, self.display)

    def _train(self, name: str, objective: Objective, stream: ImageStream) -> loop.State:
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
            (lambda: self.evaluator.validate(objective.student)) if has_validation else None,
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
