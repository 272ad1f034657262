"""Labels of the items whose loss is least for a peer."""

import torch
from torch import nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.methods.refine_coteaching.settings import RefineCoteachingSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.schedules import linear
from sdrun.streams.batch import Batch


class Coteaching(Objective):
    """``CE(z_1, y)`` over the items that network 2 finds easiest, and the other way round, for ``num_steps`` steps."""

    def __init__(
        self, students: list[nn.Module], answers: Answers, settings: RefineCoteachingSettings, num_steps: int
    ) -> None:
        super().__init__()
        self.student, self.answers, self.pair = nn.ModuleList(students), answers, students
        self.teachers = []
        self.settings, self.num_steps = settings, num_steps

    @property
    def is_taught(self) -> bool:
        """They choose, and tell each other nothing."""
        return False

    @property
    def networks(self) -> dict[str, nn.Module]:
        first, second = self.pair
        return {"": first, "peer": second}

    def kept(self, num: int, step: int) -> int:
        """How many of a batch's ``num`` items are learned from."""
        s = self.settings
        rise = s.ramp_up * self.num_steps
        left_out = linear(0.0, s.forget, step / rise) if rise else s.forget
        return max(1, round((1 - left_out) * num))

    def forward(self, batch: Batch) -> StepOutput:
        view, label = batch.views[self.settings.view][0], batch.known["label"]
        answers = [student(view).float() for student in self.pair]
        num = self.kept(len(label), batch.step)
        with torch.no_grad():
            losses = [F.cross_entropy(answer, label, reduction="none") for answer in answers]
            easiest = [loss.topk(num, largest=False).indices for loss in losses]
        terms = {
            name: self.answers.truth(answer[chosen], {"label": label[chosen]}, self.settings.label_smoothing)
            for name, answer, chosen in zip(("ce", "peer_ce"), answers, easiest[::-1], strict=True)
        }
        same = (answers[0].argmax(dim=1) == answers[1].argmax(dim=1)).float().mean()
        return StepOutput(terms, dict(zip(("", "peer"), answers, strict=True)), metrics={"agreement": same})
