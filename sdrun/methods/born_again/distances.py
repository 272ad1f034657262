"""The paper's forms of the distance to the teacher: its answers, and two probes into what of them helps."""

from torch import Tensor

from sdrun.answers.answers import Answers
from sdrun.losses.distillation import cwtm, hard, kd, permute_wrong, top_two
from sdrun.methods.born_again.settings import BornAgainLoss, BornAgainSettings, Targets
from sdrun.objectives.taught import Distance
from sdrun.streams.batch import Batch
from sdrun.trees import Tree

MAKE = {Targets.hard: hard, Targets.top2: top_two}


def distance(settings: BornAgainSettings, answers: Answers) -> Distance:
    """As the settings say; the two probes are of logits [B, K], and so are hard targets and those of two labels."""
    temperature, make = settings.temperature, MAKE.get(settings.targets)

    def plain(student: Tree, teacher: Tree, batch: Batch) -> Tensor:
        return answers.distance(student, make(teacher) if make else teacher, temperature).mean()

    def weighted(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        return cwtm(student, teacher, batch.known["label"], temperature)

    def permuted(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        draws = batch.draws.uniform("dkpp", teacher.shape[1]).to(teacher.device)
        return kd(student, permute_wrong(teacher, draws), temperature)

    return {BornAgainLoss.kd: plain, BornAgainLoss.cwtm: weighted, BornAgainLoss.dkpp: permuted}[settings.objective]
