"""What the settings of every method are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar


@dataclass
class MethodSettings(ABC):
    """Settings of one method; its own are the fields of a subclass, without defaults, and stand in ``conf/method``.

    A field with ``field(metadata={"root": True})`` is a key of the root, such as ``generations``.
    """

    joins_views: ClassVar[bool] = False
    """Whether all views of a batch go through the network together, so that they need one size."""

    takes: ClassVar[str | None] = None
    """The kind of items without which it makes no sense, such as ``images``."""

    needs: ClassVar[str | None] = None
    """The kind of answers without which it makes no sense, such as ``categorical``."""

    uses_labels: ClassVar[bool] = True
    """Whether it learns from labels."""

    free_after_training: ClassVar[tuple[str, ...]] = ()
    """Keys that a finished run may be judged with other values of; one that ends in a dot stands for its group."""

    before: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """By name those settings that came when there were runs already, with what these had done without a word of it."""

    name: str

    @property
    @abstractmethod
    def roles(self) -> tuple[str, ...]:
        """The views that the method asks for."""

    def check(self, taps: list[str], val_size: int) -> None:  # noqa: B027 most methods suit all
        """Raise InputError where the settings do not suit a backbone with these taps, or so large a validation."""

    def resolved(self, num_items: int) -> dict[str, Any]:
        """What ``auto`` becomes on so many training items, by setting."""
        return {}
