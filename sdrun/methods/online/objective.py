"""Pseudo-labels of a period, labelled items beside them, and what keeps a network near to where it began."""

from torch import nn

from sdrun.answers.answers import Answers
from sdrun.data.source import joined
from sdrun.methods.online.settings import OnlineSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.teachers.ema import EMA
from sdrun.teachers.frozen import Frozen

LABELLED, BUFFERED = "labelled", "buffered"
"""Items beside those of a period."""


class Online(Objective):
    """``CE(z, pseudo-label) + r_l CE(z_labelled, y) + r_b CE(z_buffered, pseudo-label then) + stay D(z, z_source)``.

    Its weights are the ratios of the settings.

    ``source``: None where nothing keeps the student near it; ``average``: of the student, None where none is kept;
    ``teachers``: where the pseudo-labels come from.
    """

    def __init__(
        self,
        student: nn.Module,
        answers: Answers,
        settings: OnlineSettings,
        source: Frozen | None,
        average: EMA | None,
        teachers: list[dict[str, str]],
    ) -> None:
        super().__init__()
        self.student, self.answers, self.settings = student, answers, settings
        self.source, self.average, self.teachers = source, average, teachers
        self.weights = {LABELLED: settings.labelled_ratio, BUFFERED: settings.buffered_ratio}

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"": self.average.network, "student": self.student} if self.average else {"": self.student}

    def forward(self, batch: Batch) -> StepOutput:
        s, num = self.settings, len(batch)
        views = joined([part.views[s.view][0] for part in (batch, *batch.beside.values())])
        logits = self.student(views).float()
        terms = {self.answers.term: self.answers.truth(logits[:num], batch.known, s.label_smoothing)}
        at = num
        for name, other in batch.beside.items():
            of_other = self.answers.truth(logits[at : at + len(other)], other.known, s.label_smoothing)
            terms[name] = self.weights[name] * of_other
            at += len(other)
        if self.source:
            terms["stay"] = s.stay * self.answers.distance(logits, self.source.answer(views)).mean()
        return StepOutput(terms, logits, batch.known["label"])

    def after_step(self, step: int) -> None:
        if self.average:
            self.average.follow(self.student, self.settings.momentum)
