"""Compression: the teacher, what stands between, the student alone, and the student."""

from functools import partial

from torch import Tensor

from sdrun.data.source import Fields
from sdrun.experiment import Experiment, Stage
from sdrun.judges.compression import Compression
from sdrun.methods.compress.hints import LOGITS, hinted, tapped
from sdrun.methods.compress.objective import UNLABELLED, Compress
from sdrun.methods.compress.settings import CompressSettings
from sdrun.objectives.objective import Objective
from sdrun.objectives.taught import Taught
from sdrun.settings import CLEAN, Control, ModelSettings
from sdrun.streams.batch import Stream
from sdrun.streams.shuffled import Beside
from sdrun.teachers.frozen import Frozen

STUDENT = 0
"""The index of both trainings of the student, so that they start and go on alike, and as supervised training does."""


def run(settings: CompressSettings, experiment: Experiment) -> Stage:
    return _Compressing(settings, experiment).run()


class _Compressing:
    """``done``: metrics of the stages so far, by name."""

    def __init__(self, settings: CompressSettings, experiment: Experiment) -> None:
        self.settings, self.experiment = settings, experiment
        self.done = dict[str, dict[str, float]]()

    def run(self) -> Stage:
        if self.settings.view != CLEAN:
            told = f"asked at each step, for {self.settings.view} views never come again; of method.view=clean once"
            self.experiment.tell("Teacher", told)
        teachers: list[Stage] | None = None
        if self.settings.teacher_from:
            teachers = self.experiment.guests
            self._judged(teachers)
        for index, (name, model) in enumerate(self.settings.line.items(), start=STUDENT + 1):
            teachers = [self._trained(name, index, teachers, model)]
        if self.settings.alone:
            self._trained("alone", STUDENT, None)
        return self._trained("taught", STUDENT, teachers)

    def _judged(self, guests: list[Stage]) -> None:
        """Look at what teaches and was not trained here."""
        experiment = self.experiment
        teacher, judge = experiment.teacher(guests), Compression(experiment.data, "teacher", None, {})
        self.done["teacher"] = experiment.evaluate("teacher", teacher.network, judge, "teacher_from")

    def _trained(
        self, name: str, index: int, teachers: list[Stage] | None, model: ModelSettings | None = None
    ) -> Stage:
        """A network that learns from ``teachers``; where they are None, from the labels alone."""
        settings, experiment, view = self.settings, self.experiment, {self.settings.view: 1}
        stream: Stream = experiment.stream(index, view)
        objective: Objective
        if teachers is not None:
            objective = self._taught(name, index, teachers, model)
            if ratio := settings.ratio(experiment.has_hidden):
                stream = Beside(stream, {UNLABELLED: experiment.unlabelled(index, view, ratio)})
        else:
            student, smoothing = experiment.student(index, model=model), settings.label_smoothing
            objective = Taught(student, experiment.answers, role=settings.view, smoothing=smoothing)
        answer = experiment.teacher(teachers, settings.view).answer if teachers else None
        is_last = name == settings.stages[-1]
        judge = Compression(experiment.data, name, answer, self.done if is_last else {}, "alone" if is_last else None)
        stage = experiment.fit(name, objective, stream, judge)
        self.done[name] = stage.metrics
        return stage

    def _taught(self, name: str, index: int, teachers: list[Stage], model: ModelSettings | None) -> Compress:
        settings, experiment = self.settings, self.experiment
        if not settings.hints.weight:
            student, teacher = experiment.student(index, model=model), experiment.teacher(teachers, settings.view)
            if settings.view == CLEAN and experiment.settings.control is not Control.random:
                return Compress(student, experiment.answers, teacher, settings, self._made(name, teacher, teachers))
        else:
            network = teachers[0].network if teachers else None
            student = experiment.student(index, partial(hinted, settings.hints, experiment.answers, network), model)
            teacher = experiment.teacher(teachers, settings.view, partial(tapped, settings.hints))
        return Compress(student, experiment.answers, teacher, settings)

    def _made(self, name: str, teacher: Frozen, teachers: list[Stage]) -> Tensor:
        """What the teacher says of each training item, which is always seen alike: asked once."""

        def answers() -> Fields:
            return {LOGITS: self.experiment.data.outputs(teacher.answer, "train")}

        return self.experiment.make(f"{name}_answers", answers, teachers).fields[LOGITS]
