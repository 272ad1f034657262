"""Bags of words: how often each word occurs, [B, words]."""

from torch import Tensor

from sdrun.answers.categorical import Categorical
from sdrun.data.labelled import Splits
from sdrun.data.source import Fields, in_memory
from sdrun.hardware import Hardware
from sdrun.judges.classification import Classification
from sdrun.settings import CLEAN
from sdrun.task import Task
from sdrun.tasks.bags.data import NUM_WORDS
from sdrun.tasks.bags.settings import BagsSettings


class Clean:
    """All words."""

    num_draws = 0

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        return fields["counts"].float()


class Forgetful:
    """A share of the words is left out."""

    num_draws = NUM_WORDS

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        return fields["counts"] * (u >= self.share).float()


def build(settings: BagsSettings, splits: Splits, hardware: Hardware, keep: object) -> Task:
    return Task(
        splits=splits,
        parts=in_memory(splits, hardware.device),
        inputs=("counts",),
        views={CLEAN: Clean(), "weak": Forgetful(settings.forgotten)},
        answers=Categorical(len(splits.classes)),
        judge=Classification,
    )
