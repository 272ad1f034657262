"""Labels for every exit, and the deepest one's view of them for the others."""

import torch
from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.answers.categorical import mean_probability
from sdrun.losses.distillation import kd
from sdrun.methods.layerwise.ladder import Exits, Ladder
from sdrun.methods.layerwise.settings import Hint, LayerwiseSettings, Whom
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.trees import Tree


class Layerwise(Objective):
    """The loss of the settings on the weak view."""

    def __init__(self, student: Ladder, answers: Answers, settings: LayerwiseSettings) -> None:
        super().__init__()
        self.student: Ladder = student
        self.answers = answers
        self.teachers = []
        self.settings = settings

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"": self.student}

    @torch.no_grad()
    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        ladder: Ladder = network or self.student  # type: ignore[assignment]
        return {"": self._taught(ladder.exits(batch.views["weak"][0]))}

    def forward(self, batch: Batch) -> StepOutput:
        s = self.settings
        exits = self.student.exits(batch.views["weak"][0])
        joint = exits.features
        features, logits = joint.float(), exits.logits.float()
        *shallow, deepest = logits.unbind(dim=1)
        own = self._taught(exits) if batch.targets is None else batch.targets
        targets, hint = own["logits"], own["features"]
        terms = {"ce": self.answers.truth(deepest, batch.known)}
        if s.label_weight:
            terms["exit_ce"] = s.label_weight * _sum([self.answers.truth(z, batch.known) for z in shallow])
        if s.alpha:
            terms["distillation"] = s.alpha * _sum([kd(z, targets, s.temperature) for z in shallow])
        if s.beta:
            terms["hint"] = s.beta * _sum([self._distance(f, hint) for f in features[:, :-1].unbind(1)])
        agreement = logits[:, :-1].argmax(dim=2) == targets.argmax(dim=1, keepdim=True)
        metrics = {f"exit_{i}_agreement": share for i, share in enumerate(agreement.float().mean(dim=0), start=1)}
        metrics["teacher_ce"] = self.answers.truth(targets, batch.known)
        return StepOutput(terms, joint, (targets, hint), metrics)

    def _taught(self, exits: Exits) -> Tree:
        """Logits [B, K] of the teacher, and features [B, D] of the deepest exit."""
        logits, features = exits.logits.detach().float(), exits.features.detach().float()
        is_ensemble = self.settings.teacher is Whom.ensemble
        return {
            "logits": mean_probability(logits.unbind(dim=1)) if is_ensemble else logits[:, -1],
            "features": features[:, -1],
        }

    def _distance(self, shallow: Tensor, deepest: Tensor) -> Tensor:
        """Of features [B, D]."""
        difference = shallow - deepest
        if self.settings.hint is Hint.norm:
            return difference.norm()
        return difference.square().sum(dim=1).mean()


def _sum(values: list[Tensor]) -> Tensor:
    return torch.stack(values).sum()
