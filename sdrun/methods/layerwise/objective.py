"""Labels for every exit, and the deepest one's view of them for the others."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.losses.distillation import kd
from sdrun.methods.layerwise.settings import Hint, Settings, Teacher
from sdrun.models.ensembles import mean_probability
from sdrun.models.ladder import Ladder
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch


class Layerwise(Objective):
    """The loss of the settings, which are without ``auto``, on the weak view."""

    def __init__(self, student: Ladder, settings: Settings) -> None:
        super().__init__()
        self.student: Ladder = student
        self.teachers = []
        self.settings = settings
        self.alpha, self.temperature = float(settings.alpha), float(settings.temperature)
        self.exit_ce, self.beta = float(settings.exit_ce), float(settings.beta)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"": self.student}

    def forward(self, batch: Batch) -> StepOutput:
        joint, logits = self.student.exits(batch.views["weak"][0])
        features, logits = joint.float(), logits.float()
        *shallow, deepest = logits.unbind(dim=1)
        targets = self._targets(logits)
        terms = {"ce": F.cross_entropy(deepest, batch.label)}
        if self.exit_ce:
            terms["exit_ce"] = self.exit_ce * _sum([F.cross_entropy(z, batch.label) for z in shallow])
        if self.alpha:
            terms["distillation"] = self.alpha * _sum([kd(z, targets, self.temperature) for z in shallow])
        if self.beta:
            terms["hint"] = self.beta * _sum([self._distance(f, features[:, -1]) for f in features[:, :-1].unbind(1)])
        agreement = logits[:, :-1].argmax(dim=2) == targets.argmax(dim=1, keepdim=True)
        metrics = {f"exit_{i}_agreement": share for i, share in enumerate(agreement.float().mean(dim=0), start=1)}
        return StepOutput(terms, joint, {**metrics, "teacher_ce": F.cross_entropy(targets, batch.label)})

    def _targets(self, logits: Tensor) -> Tensor:
        """Logits [B, K] of the teacher."""
        logits = logits.detach()
        return mean_probability(logits.unbind(dim=1)) if self.settings.teacher is Teacher.ensemble else logits[:, -1]

    def _distance(self, shallow: Tensor, deepest: Tensor) -> Tensor:
        """Of features [B, D]; the deepest are detached."""
        difference = shallow - deepest.detach()
        if self.settings.hint is Hint.norm:
            return difference.norm()
        return difference.square().sum(dim=1).mean()


def _sum(values: list[Tensor]) -> Tensor:
    return torch.stack(values).sum()
