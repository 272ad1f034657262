"""Labels where they are known, and a teacher's answers everywhere."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.losses.distillation import dkd_each, kd_each
from sdrun.methods.compress.hints import FEATURES, LOGITS, alike
from sdrun.methods.compress.settings import CompressLoss, CompressSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.teachers.frozen import Frozen
from sdrun.trees import Tree, tree_cat, tree_map

UNLABELLED = "unlabelled"


class Compress(Objective):
    """``(1 - alpha) CE + alpha D + hints`` over labelled and unlabelled items; see the settings.

    ``student``: one that gives logits, or of hints a ``Hinted``, whose answers are of the kind that the teacher's are.
    ``made`` [N, K]: what the teacher says of each training item, None where it is asked at each step.
    """

    def __init__(
        self,
        student: nn.Module,
        answers: Answers,
        teacher: Frozen,
        settings: CompressSettings,
        made: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.student, self.answers, self.teacher, self.settings = student, answers, teacher, settings
        self.made = made
        self.teachers = teacher.lineage
        self.has_hints = settings.hints.weight > 0

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"": self.student.network if self.has_hints else self.student}  # type: ignore[dict-item]

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        if network:
            told = tree_map(Tensor.float, network(tree_cat(self._views(batch))))
        elif self.made is not None:
            told = self.made[torch.cat([part.index for part in (batch, *batch.beside.values())])]
        else:
            told = self.teacher.answer(tree_cat(self._views(batch)))
        labelled, *others = _parted(told, [len(batch), *map(len, batch.beside.values())])
        return {"": labelled, **dict(zip(batch.beside, others, strict=True))}

    def forward(self, batch: Batch) -> StepOutput:
        s, num = self.settings, len(batch)
        is_controlled = batch.targets is not None
        by_batch = [batch.targets, *(other.targets for other in batch.beside.values())]
        targets = tree_cat(by_batch if is_controlled else [*self.targets(batch).values()])
        answer = tree_map(Tensor.float, self.student(tree_cat(self._views(batch))))
        logits, told = (tree[LOGITS] if self.has_hints else tree for tree in (answer, targets))
        terms = {
            "ce": (1 - s.alpha) * self.answers.truth(logits[:num], batch.known, s.label_smoothing),
            "distillation": s.alpha * self._distance(batch, logits, told).mean(),
        }
        if self.has_hints:
            terms["hints"] = s.hints.weight * F.mse_loss(answer[FEATURES], alike(targets[FEATURES], answer[FEATURES]))
        metrics = {
            "agreement": self.answers.agree(logits, told).float().mean(),
            "teacher_ce": self.answers.truth(told[:num], batch.known),
        }
        return StepOutput(terms, answer, targets, metrics)

    def _views(self, batch: Batch) -> list[Tree]:
        return [part.views[self.settings.view][0] for part in (batch, *batch.beside.values())]

    def _distance(self, batch: Batch, logits: Tensor, told: Tensor) -> Tensor:
        """Of each item [B]; the class that dkd sets apart is the label, or the teacher's most likely where none is."""
        s = self.settings
        if s.objective is CompressLoss.kd:
            return kd_each(logits, told, s.temperature)
        label = batch.known["label"]
        own = label if label.ndim == 1 else label.argmax(dim=1)
        target = torch.cat([own, told[len(own) :].argmax(dim=1)])
        return dkd_each(logits, told, target, *s.dkd.weights, s.temperature)


def _parted(tree: Tree, sizes: list[int]) -> list[Tree]:
    """Rows of every tensor, so many each."""
    if isinstance(tree, dict):
        parts = {name: values.split(sizes) for name, values in tree.items()}
        return [{name: parts[name][place] for name in parts} for place in range(len(sizes))]
    return list(tree.split(sizes))
