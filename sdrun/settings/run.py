"""Settings of a run as a whole."""

from dataclasses import dataclass, replace
from enum import Enum

from sdrun.errors import require
from sdrun.settings.checks import CLEAN, require_range
from sdrun.settings.dataset import DatasetSettings
from sdrun.settings.hardware import HardwareSettings
from sdrun.settings.item import Item
from sdrun.settings.method import Control, MethodSettings
from sdrun.settings.model import ModelSettings, named
from sdrun.settings.optim import OptimSettings, Select
from sdrun.settings.tasks import STREAMS, TaskSettings


class InitNetwork(Enum):
    """Whose backbone of another run."""

    teacher = "teacher"
    student = "student"


@dataclass
class Settings:
    """One run. ``method`` is the settings class of the chosen method, and so for the other groups.

    ``init_from``: folder of a finished run with whose backbone every student starts; ``init_network`` says whose of
    that run, None that of the teacher where one was kept.

    ``pictures``: whether any are drawn; ``control``: who speaks in the teacher's place.
    """

    seed: int
    control: Control
    log_every: int
    checkpoint_seconds: float
    pictures: bool
    init_from: str | None
    init_network: InitNetwork | None
    method: MethodSettings
    model: ModelSettings
    dataset: DatasetSettings
    optim: OptimSettings
    hardware: HardwareSettings

    def __post_init__(self) -> None:
        require_range("seed", self.seed, 0)
        require_range("dataset.seed", self.dataset.seed, 0)  # here and second, for by default it is the other
        require_range("log_every", self.log_every, 1)
        require_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        controls = self.method.controls
        suits = self.control is Control.none or self.control in controls
        others = f"it takes {', '.join(control.value for control in controls)}" if controls else "it takes none"
        require(
            suits, "control", f"{self.control.value} makes no sense with method={self.method.name} as it is; {others}"
        )
        require(
            self.init_from is not None or self.init_network is None,
            "init_network",
            "has no effect without init_from; set that too, or leave this out",
        )
        is_one = self.init_from is None or self.model.origin is None
        require(is_one, "init_from", f"replaces the weights of {self.model.origin}; leave one of them out")

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the run's trainings, first to last."""
        stream, own = self.dataset.stream if self.method.is_periodic else None, self.method.stages
        return (*own, *(stream.names[len(own) :] if stream else []))

    def of_stage(self, name: str) -> "Settings":
        """As a stage is trained, which may be by an optimiser of its own."""
        return replace(self, optim=self.method.optim_of(name, self.optim))

    def check_model(self, item: Item) -> None:
        """Raise InputError where a model does not take the items of the dataset."""
        for key, model in {"model": self.model, **self.method.models}.items():
            has = f"and dataset={self.dataset.name} has {item.kind}"
            require(item.kind == model.takes, key, f"{model.title} takes {model.takes}, {has}")
            with named(key):
                model.check(item)
            own = f"{model.title} takes {item.kind} in another form than model={self.model.title}; choose another"
            require(model.taken(item) == self.model.taken(item), key, own)

    def check_data(self, item: Item, num_train: int, num_ranks: int) -> None:
        """Raise InputError where settings do not fit the data, ``num_train`` items for training and validation."""
        data, method, model = self.dataset, self.method, self.model
        self.check_model(item)
        suits = method.takes in (None, item.kind)
        require(suits, "method", f"{method.name} needs {method.takes}, and dataset={data.name} has {item.kind}")
        is_answered = method.needs in (None, data.answers)
        answered = f"{method.name} needs {method.needs} answers, and dataset={data.name} has {data.answers} ones"
        require(is_answered, "method", answered)
        is_weighed = not self.optim.class_weights or (method.uses_labels and data.answers == "categorical")
        require(is_weighed, "optim.class_weights", f"has no effect with method={method.name}, which uses no labels")
        data.check(item)
        self._check_sizes(num_train, num_ranks)
        self._check_stream(item)
        method.check(model.taps, data.num_held_out)
        asked = {**dict.fromkeys(method.roles, f"method={method.name}"), **data.further_roles}
        seen = {}
        for role, who in asked.items():
            is_there = role in (CLEAN, *data.roles)
            require(is_there, f"dataset.views.{role}", f"is missing, and {who} asks for it")
            seen[role] = data.seen(item, role)
            model.check(seen[role])
        sizes = sorted({"x".join(map(str, seen[role].shape)) for role in method.roles})
        differ = f"of this method need one size, but are {' and '.join(sizes)}; choose others, or set their size"
        require(not method.joins_views or len(sizes) == 1, "dataset.views", differ)

    def _check_stream(self, item: Item) -> None:
        stream, kind = self.dataset.stream, self.method.needs_stream
        what = f"is {stream.kind}, and {{}} learns from another" if stream else "is none, and {} learns from one"
        ways = "|".join(name for name, of_kind in STREAMS.items() if kind and issubclass(of_kind, kind))
        other = f"{what.format(self.method.name)}; choose it by dataset/stream={ways}"
        require(kind is None or isinstance(stream, kind), "dataset.stream", other)
        if stream is None:
            return
        has_place = not (isinstance(stream, TaskSettings) and stream.flag) or item.kind in ("images", "vectors")
        other = f"tells a network the task of images and vectors, and these are {item.kind}; set it to false"
        require(has_place, "dataset.stream.flag", other)
        other = "tells the task of an item, and so does method.heads=each; leave one of them out"
        is_told = isinstance(stream, TaskSettings) and stream.flag
        require(not (is_told and self.method.knows_tasks), "dataset.stream.flag", other)
        suits = stream.takes in (None, item.kind)
        is_other = f"{stream.kind} is of {stream.takes}, and dataset={self.dataset.name} has {item.kind}"
        require(suits, "dataset.stream", f"{is_other}; choose another by dataset/stream=NAME")

    def _check_sizes(self, num_train: int, num_ranks: int) -> None:
        data, optim = self.dataset, self.optim
        left = num_train - data.num_held_out
        require(left > 0, "dataset.val_size", f"leaves nothing of {num_train} training items; make it smaller")
        parts = num_ranks * optim.accumulate
        split = f"{num_ranks} ranks, each in {optim.accumulate} accumulated parts"
        require(optim.batch_size % parts == 0, "optim.batch_size", f"must be a multiple of {parts}: {split}")
        smallest = max(model.smallest_batch for model in (self.model, *self.method.models.values())) * parts
        require_range("optim.batch_size", optim.batch_size, smallest)
        require_range("dataset.train_size", data.train_size, smallest, left)
        require(left >= smallest, "dataset.val_size", f"leaves {left} training items, fewer than {smallest}")
        require_range("dataset.num_labels", data.num_labels, smallest, data.train_size or left)
        if data.num_held_out == 0:
            require(
                optim.select is Select.last and optim.early_stop is None,
                "dataset.val_size",
                "optim.select=best and optim.early_stop need a validation split; make it larger than 0",
            )
