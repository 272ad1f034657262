"""The paper's forms of the distance to the teacher: its answers, and two probes into what of them helps."""

from torch import Tensor

from sdrun.answers.answers import Answers
from sdrun.losses.distillation import cwtm, kd, permute_wrong
from sdrun.methods.born_again.settings import BornAgainLoss, BornAgainSettings
from sdrun.objectives.taught import Distance
from sdrun.streams.batch import Batch
from sdrun.trees import Tree


def distance(settings: BornAgainSettings, answers: Answers) -> Distance:
    """As the settings say; the two probes are of logits [B, K]."""
    temperature = settings.temperature

    def soft(student: Tree, teacher: Tree, batch: Batch) -> Tensor:
        return answers.distance(student, teacher, temperature).mean()

    def weighted(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        return cwtm(student, teacher, batch.known["label"], temperature)

    def permuted(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        draws = batch.draws.uniform("dkpp", teacher.shape[1]).to(teacher.device)
        return kd(student, permute_wrong(teacher, draws), temperature)

    return {BornAgainLoss.kd: soft, BornAgainLoss.cwtm: weighted, BornAgainLoss.dkpp: permuted}[settings.objective]
