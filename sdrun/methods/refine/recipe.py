"""Refine: beliefs about labels out of folds, refined labels, and a student that learns them; and again."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sdrun.averaged import averaged
from sdrun.data.source import Fields, Rows, Source, With
from sdrun.experiment import Experiment, Stage
from sdrun.methods.refine.audit import Audit
from sdrun.methods.refine.folds import folds
from sdrun.methods.refine.judge import OfLabels
from sdrun.methods.refine.labels import refined, shares
from sdrun.methods.refine.objective import Refined
from sdrun.methods.refine.settings import RefineSettings, Start
from sdrun.objectives.taught import Taught
from sdrun.randomness import seed_of
from sdrun.settings import Control

FILE, ANNOTATORS = "refined_labels.csv", "annotators.csv"
BELIEFS, LABELS = "beliefs", "labels"


def run(settings: RefineSettings, experiment: Experiment) -> Stage:
    return _Refine(settings, experiment).run()


@dataclass
class _Refine:
    settings: RefineSettings
    experiment: Experiment

    def __post_init__(self) -> None:
        experiment = self.experiment
        self.items: Source = experiment.known
        self.observed = shares(experiment.truth[experiment.with_labels], experiment.num_classes)
        self.classes = self.observed.argmax(dim=1).cpu().numpy()

    def run(self) -> Stage:
        settings, experiment = self.settings, self.experiment
        labels, last = self.observed, None
        for number in range(1, settings.rounds + 1):
            name = f"round_{number}"
            beliefs, labels = self._refined(name, number, labels)
            audit = self._audit(beliefs)
            if number == settings.rounds:
                self._keep(audit, labels)
            of_labels = self._judge(name, audit)
            student = experiment.student(0)
            if last and settings.start is Start.on:
                student.load_state_dict(last.network.state_dict())
            stage = self._fit(name, 0, student, labels)
            last = replace(stage, metrics=stage.metrics | of_labels)
        assert last
        return last

    def _refined(self, name: str, number: int, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Beliefs about all items [N, K], of models that learned ``labels`` of others, and what labels come of them."""
        experiment, of_folds = self.experiment, self.settings.folds_of(number)
        fold_of = folds(self.classes, len(of_folds), seed_of(experiment.settings.seed, name, "folds"))
        stages = [
            self._fit(fold_name, 1 + fold, experiment.student(1 + fold), labels, self._others(fold_of, fold))
            for fold, fold_name in enumerate(of_folds)
        ]

        def produce() -> Fields:
            told = torch.zeros_like(self.observed)
            for fold, stage in enumerate(stages):
                rows = self._tensor(np.flatnonzero(fold_of == fold))
                told[rows] = experiment.data.answers(stage.network, Rows(self.items, rows))
            beliefs = experiment.in_place(told, self.items, name).softmax(dim=1)
            findings = self._audit(beliefs).findings
            is_suspect = findings.is_suspect
            if experiment.settings.control is not Control.none:  # which are suspect, and not how many
                is_suspect = findings.ranks <= self._audit(told.softmax(dim=1)).findings.is_suspect.sum()
            classes = torch.as_tensor(findings.classes, dtype=beliefs.dtype, device=experiment.device)
            return {
                BELIEFS: beliefs,
                LABELS: refined(self.settings, self.observed, beliefs, self._tensor(is_suspect), classes),
            }

        made = experiment.make(f"{name}_labels", produce, stages, of=self._labelled(labels)).fields
        return made[BELIEFS], made[LABELS]

    def _fit(
        self,
        name: str,
        index: int,
        student: torch.nn.Module,
        labels: Tensor,
        rows: np.ndarray | None = None,
    ) -> Stage:
        """A student of these ``labels`` of all items, or of those at ``rows``, but not of such as have none."""
        settings, experiment = self.settings, self.experiment
        has_label = labels.abs().sum(dim=1).cpu().numpy() > 0
        chosen = np.flatnonzero(has_label) if rows is None else rows[has_label[rows]]
        source = Rows(self._labelled(labels), self._tensor(chosen))
        make = Refined if rows is None else Taught
        objective = make(student, experiment.answers, role=settings.view, smoothing=settings.label_smoothing)
        stream = experiment.stream(index, {settings.view: 1}, source=source)
        counted = averaged(objective, settings.average, experiment.num_steps(stream, name))
        return experiment.fit(name, counted, stream)

    def _others(self, fold_of: np.ndarray, fold: int) -> np.ndarray:
        """What the model of a fold learns from: the items of all others, or all, where there is one."""
        return np.flatnonzero((fold_of != fold) | (self.settings.folds == 1))

    def _labelled(self, labels: Tensor) -> With:
        return With(self.items, {"label": labels})

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, device=self.experiment.device)

    def _audit(self, beliefs: Tensor) -> Audit:
        return Audit.of(self.experiment.data.splits, beliefs.double().cpu().numpy(), self.settings.finder)

    def _judge(self, name: str, audit: Audit) -> dict[str, float]:
        """What there is to say of the labels, as a stage of its own."""
        experiment, splits = self.experiment, self.experiment.data.splits
        seed = seed_of(experiment.settings.seed, name, "bootstrap")
        judge = OfLabels(audit, splits.true_labels[splits.labelled], seed)
        return experiment.evaluate(f"{name}_audit", lambda seen: seen, judge, other="labels")

    def _keep(self, audit: Audit, labels: Tensor) -> None:
        def table() -> bytes:
            self.experiment.tell("Labels", *audit.summary, f"{FILE} has all, the most suspicious first")
            return audit.table(labels.cpu().numpy()).encode()

        self.experiment.keep(FILE, table)
        if audit.crowd:
            self.experiment.keep(ANNOTATORS, lambda: audit.annotators.encode())
