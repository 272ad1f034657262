"""Settings of a run as a whole."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sdrun.errors import require
from sdrun.settings.checks import CLEAN, require_range
from sdrun.settings.data import DatasetSettings
from sdrun.settings.hardware import HardwareSettings
from sdrun.settings.optim import OptimSettings, Select


class InitNetwork(Enum):
    """Whose backbone of another run."""

    teacher = "teacher"
    student = "student"


@dataclass
class Settings:
    """One run. ``method`` is the settings class of the chosen method, and so for the other groups.

    ``init_from``: folder of a finished run with whose backbone every student starts; ``init_network`` says whose of
    that run, None that of the teacher where one was kept.
    """

    seed: int
    log_every: int
    checkpoint_seconds: float
    init_from: str | None
    init_network: InitNetwork | None
    method: Any
    model: Any
    dataset: DatasetSettings
    optim: OptimSettings
    hardware: HardwareSettings

    def __post_init__(self) -> None:
        require_range("seed", self.seed, 0)
        require_range("dataset.seed", self.dataset.seed, 0)  # here and second, for by default it is the other
        require_range("log_every", self.log_every, 1)
        require_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        require(
            self.init_from is not None or self.init_network is None,
            "init_network",
            "has no effect without init_from; set that too, or leave this out",
        )

    def check_data(self, channels: int, size: int, num_train: int, num_ranks: int) -> None:
        """Raise InputError where settings do not fit the data, ``num_train`` images [channels, size, size]."""
        data = self.dataset
        for key in ("mean", "std"):
            require(len(getattr(data, key)) == channels, f"dataset.{key}", f"needs {channels} numbers, one a channel")
        left = num_train - data.val_size
        require(left > 0, "dataset.val_size", f"leaves nothing of {num_train} training images; make it smaller")
        parts = num_ranks * self.optim.accumulate
        split = f"{num_ranks} ranks, each in {self.optim.accumulate} accumulated parts"
        require(self.optim.batch_size % parts == 0, "optim.batch_size", f"must be a multiple of {parts}: {split}")
        smallest = self.model.smallest_batch * parts
        require_range("optim.batch_size", self.optim.batch_size, smallest)
        require_range("dataset.train_size", data.train_size, smallest, left)
        require(left >= smallest, "dataset.val_size", f"leaves {left} training images, fewer than {smallest}")
        if hasattr(self.method, "check"):
            self.method.check(self.model.taps, data.val_size)
        asked = dict.fromkeys(self.method.roles, f"method={self.method.name}")
        if data.test_view is not None:
            asked[data.test_view] = "dataset.test_view"
        for role, who in asked.items():
            if role == CLEAN:
                continue
            require(role in data.views, f"dataset.views.{role}", f"is missing, and {who} asks for it")
            view = data.views[role]
            view.check_images(f"dataset.views.{role}", channels, size)
            self.model.check_images(view.side(size))
        sides = {size if role == CLEAN else data.views[role].side(size) for role in self.method.roles}
        needs_one = getattr(self.method, "joins_views", False)
        differ = f"of this method need one size, but have {sorted(sides)} pixels; choose others, or set their size"
        require(not needs_one or len(sides) == 1, "dataset.views", differ)
        if data.test_view is not None:
            is_same = data.views[data.test_view].side(size) == size
            require(is_same, "dataset.test_view", f"{data.test_view} has another size than the images; choose another")
        require_range("dataset.num_labels", data.num_labels, smallest, data.train_size or left)
        self.model.check_images(size)
        if data.val_size == 0:
            require(
                self.optim.select is Select.last and self.optim.early_stop is None,
                "dataset.val_size",
                "optim.select=best and optim.early_stop need a validation split; make it larger than 0",
            )
