"""What the settings of every method are."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from sdrun.settings.item import ItemCounts
from sdrun.settings.model import ModelSettings, Shape
from sdrun.settings.optim import OptimSettings
from sdrun.settings.stream import StreamSettings


class Control(Enum):
    """What stands in for the teacher, to see what of it helps.

    ``shuffled``: the targets of another sample; ``random``: those of an untrained network; ``constant``: all classes
    alike. These know nothing of the sample. ``shuffled_in_class``: the targets of another sample of the predicted
    class; ``classmean``: a running mean of them; ``hard``: the predicted class. These know no more than that class.
    """

    none = "none"
    shuffled = "shuffled"
    random = "random"
    constant = "constant"
    shuffled_in_class = "shuffled_in_class"
    classmean = "classmean"
    hard = "hard"


CONTROLS = tuple(control for control in Control if control is not Control.none)
"""Where targets are probabilities of classes, all of them."""


class TargetKind(Enum):
    """What is made of a teacher's answer: its most likely class, or its probabilities."""

    hard = "hard"
    soft = "soft"


class Situation(Enum):
    """What somebody has who looks for a method, in the order in which ``sdrun methods`` goes through them."""

    few_labels = "Few labels, many items without one"
    wrong_labels = "Labels of which some are wrong"
    many_labels = "Many labels, nearly all of them right"
    no_labels = "No labels at all"
    drift = "Data that keep coming and change, without labels"
    tasks = "New tasks for a network that must not forget the old"
    early_exit = "A network that may stop early"
    small = "A network that must be small"


@dataclass
class MethodSettings(ABC):
    """Settings of one method; its own are the fields of a subclass, without defaults, and stand in ``conf/method``.

    A field with ``field(metadata={"root": True})`` is a key of the root, such as ``generations``; one with ``"runs":
    True`` is a list of folders of runs, of which one may be given by itself.
    """

    situation: ClassVar[Situation | None] = None
    """Where it is worth a try; what then to expect stands in the docstring of its module."""

    joins_views: ClassVar[bool] = False
    """Whether all views of a batch go through the network together, so that they need one size."""

    takes: ClassVar[str | None] = None
    """The kind of items without which it makes no sense, such as ``images``."""

    needs: ClassVar[str | None] = None
    """The kind of answers without which it makes no sense, such as ``categorical``."""

    needs_stream: ClassVar[type[StreamSettings] | None] = None
    """The kind of data that keep coming from which it learns, if any."""

    counts_any: ClassVar[bool] = False
    """Whether it learns from labels of which several are right."""

    uses_labels: ClassVar[bool] = True
    """Whether it learns from labels."""

    free_after_training: ClassVar[tuple[str, ...]] = ()
    """Keys that a finished run may be judged with other values of; one that ends in a dot stands for its group."""

    name: str

    @property
    @abstractmethod
    def roles(self) -> tuple[str, ...]:
        """The views that the method asks for."""

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of its trainings, first to last; what it makes or only evaluates is not among them."""
        return (self.name,)

    @property
    def is_periodic(self) -> bool:
        """Whether there is also a training for each period of a stream, named after it; ``stages`` are of the first."""
        return False

    def optim_of(self, stage: str, optim: OptimSettings) -> OptimSettings:
        """How a stage is trained, where all others are as ``optim`` says."""
        return optim

    @property
    def knows_tasks(self) -> bool:
        """Whether it is told whose an item of a stream of tasks is."""
        return False

    @property
    def guests(self) -> tuple[str, ...]:
        """Folders of finished runs whose networks teach."""
        return ()

    @property
    def models(self) -> dict[str, ModelSettings]:
        """Those of further networks that it trains, by the key that chose each."""
        return {}

    @property
    def controls(self) -> tuple[Control, ...]:
        """Those that make sense; a method that names some has objectives whose ``targets`` says what is taught."""
        return ()

    def check(self, taps: list[str], val_size: int) -> None:  # noqa: B027 most methods suit all
        """Raise InputError where the settings do not suit a backbone with these taps, or so large a validation."""

    def check_items(self, counts: ItemCounts) -> None:  # noqa: B027 most methods suit all
        """Raise InputError where the settings do not suit so many items."""

    def check_networks(self, guests: dict[str, Shape], own: dict[str, Shape]) -> None:  # noqa: B027 most have one
        """Raise InputError where those of ``guests``, of ``models`` and then of ``model`` do not suit each other."""

    def resolved(self, num_items: int) -> dict[str, Any]:
        """What ``auto`` becomes on so many training items, by setting."""
        return {}
