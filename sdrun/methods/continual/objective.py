"""A new task, and what keeps an earlier one: what a network said of it, or items that were kept."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.categorical import Categorical
from sdrun.data.labelled import TASK
from sdrun.data.source import joined
from sdrun.losses.distillation import NEVER, hard, kd_each
from sdrun.methods.continual.settings import OWN, ContinualSettings, Heads, Targets
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.teachers.frozen import Frozen
from sdrun.trees import Tree

REPLAYED, RECALLED, LOGITS = "replayed", "recalled", "logits"
"""Items of earlier tasks beside those of the new one, by what is learned of them, and what was said of these."""


class Continual(Objective):
    """``CE(z, y) + stay T^2 KL(z_before || z) + replay CE(z_kept, y) + recall mean_k (z_kept - z_then)^2``.

    With ``targets=own`` the first is ``KL(z_before among the classes that are right || z)``. ``before``: the network as
    it was before the task, None where nobody asks it; ``members`` [T, K]: the classes of each task, of which
    this is one.
    """

    members: Tensor

    def __init__(
        self,
        student: nn.Module,
        answers: Categorical,
        settings: ContinualSettings,
        before: Frozen | None,
        members: Tensor,
        number: int,
    ) -> None:
        super().__init__()
        self.student, self.answers, self.settings, self.before = student, answers, settings, before
        self.register_buffer("members", members, persistent=False)
        self.number = number
        self.teachers = before.lineage if before else []

    @property
    def is_taught(self) -> bool:
        return self.number > 0 and self.settings.is_taught

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        told = dict[str, Tree]()
        if self.before:
            view = batch.views[self.settings.view][0]
            told[""] = network(view).float() if network else self.before.answer(view)
        if RECALLED in batch.beside:
            recalled = batch.beside[RECALLED]
            told[RECALLED] = (
                network(recalled.views[self.settings.view][0]).float() if network else recalled.known[LOGITS]
            )
        return told

    def forward(self, batch: Batch) -> StepOutput:
        s, beside = self.settings, batch.beside
        others = {name: other.targets for name, other in beside.items()}
        told = {"": batch.targets, **others} if self.surrogate else self.targets(batch)
        parts = [batch, *beside.values()]
        logits = self.student(joined([part.views[s.view][0] for part in parts])).float()
        pieces = dict(zip(["", *beside], logits.split([len(part) for part in parts]), strict=True))

        before = told.get("")
        terms = {self.answers.term: self._new(pieces[""], before, batch)}
        if s.stay and before is not None:
            each = [kd_each(pieces[""][:, own], before[:, own], s.temperature).mean() for own in self._earlier()]
            terms["stay"] = s.stay * torch.stack(each).sum()
        if REPLAYED in beside:
            replayed = beside[REPLAYED]
            headed = self._headed(pieces[REPLAYED], replayed)
            terms[REPLAYED] = s.replay * self.answers.truth(headed, replayed.known, s.label_smoothing)
        if RECALLED in beside:
            terms[RECALLED] = s.recall * F.mse_loss(pieces[RECALLED], told[RECALLED])
        return StepOutput(terms, logits, batch.known["label"] if before is None else before)

    def _new(self, logits: Tensor, before: Tensor | None, batch: Batch) -> Tensor:
        """Of the new task's items."""
        s, label = self.settings, batch.known["label"]
        if s.targets not in OWN or before is None or label.dtype != torch.bool:
            return self.answers.truth(self._headed(logits, batch), batch.known, s.label_smoothing)
        among = before.masked_fill(~label, 2 * NEVER)  # below all that a control takes away
        among = hard(among) if s.targets is Targets.own_hard else among
        return self.answers.distance(self._headed(logits, batch), among).mean()

    def _headed(self, logits: Tensor, batch: Batch) -> Tensor:
        """Logits of the head that answers."""
        if self.settings.heads is Heads.one:
            return logits
        return logits.masked_fill(~self.members[batch.known[TASK]], NEVER)

    def _earlier(self) -> list[Tensor]:
        """The classes that were known before the task, of each head."""
        earlier = self.members[: self.number]
        heads = [earlier.any(dim=0)] if self.settings.heads is Heads.one else list(earlier)
        return [members.nonzero().squeeze(1) for members in heads]
