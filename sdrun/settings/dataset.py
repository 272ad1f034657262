"""What the settings of every dataset say: where it comes from, what of it trains, and which labels are known."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, ClassVar

from sdrun.errors import require
from sdrun.settings.checks import require_range
from sdrun.settings.item import Item
from sdrun.settings.stream import StreamSettings

CORRECTED = "label"
"""The column of corrections that a person writes."""

STREAM = "stream."
"""How settings of a stream begin."""


class NoiseKind(Enum):
    symmetric = "symmetric"
    pair = "pair"
    instance = "instance"


class ConsensusKind(Enum):
    majority = "majority"
    dawid_skene = "dawid_skene"


@dataclass
class DatasetSettings(ABC):
    """``task`` names the room in ``tasks/`` that knows what is learned from these data; ``answers``: of which kind;
    ``stream``: how they drift, None where they do not; ``corrections``: a file of labels that somebody put right;
    ``annotations``: one of what several people said, of which ``consensus`` makes a label.

    ``free``: settings that change no result, but only how the data are got and read.
    """

    answers: ClassVar[str] = "categorical"
    free: ClassVar[tuple[str, ...]] = ("download",)

    name: str
    task: str
    root: str | None
    download: bool
    train_size: int | None
    val_size: int | None
    num_labels: int | None
    labels_per_class: int | None
    label_noise: float
    label_noise_kind: NoiseKind
    label_noise_matrix: list[Any] | None
    annotations: str | None
    consensus: ConsensusKind
    corrections: str | None
    corrections_column: str
    seed: int
    stream: StreamSettings | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_range("dataset.train_size", self.train_size, 1)
        require_range("dataset.val_size", self.val_size, 0)
        require_range("dataset.num_labels", self.num_labels, 1)
        require_range("dataset.labels_per_class", self.labels_per_class, 1)
        is_one = self.num_labels is None or self.labels_per_class is None
        require(is_one, "dataset.labels_per_class", "says the same as dataset.num_labels; give one of them")
        require_range("dataset.label_noise", self.label_noise, 0, 1)
        require(
            self.label_noise > 0 or self.label_noise_kind is NoiseKind.symmetric,
            "dataset.label_noise_kind",
            "has no effect without dataset.label_noise; set that too, or leave this out",
        )
        is_one_of = self.has_annotators or self.consensus is ConsensusKind.majority
        alone = "needs several annotators, by dataset.annotations, or dataset.raters of vader; set that too"
        require(is_one_of, "dataset.consensus", alone)
        both = "and wrong labels on purpose each change labels; leave one of them out"
        require(self.annotations is None or not self.is_noisy, "dataset.annotations", both)
        is_read = self.corrections is not None or self.corrections_column == CORRECTED
        needless = "has no effect without dataset.corrections; set that too, or leave this out"
        require(is_read, "dataset.corrections_column", needless)
        if self.label_noise_matrix is not None:
            key, num = "dataset.label_noise_matrix", len(self.label_noise_matrix)
            require(
                self.label_noise == 0, key, "says how many are wrong, as dataset.label_noise does; give one of them"
            )
            for row in self.label_noise_matrix:
                needs = f"needs rows of as many chances as there are rows, which sum to 1, but has {row}"
                require(isinstance(row, list) and len(row) == num, key, needs)
                is_chance = all(isinstance(chance, int | float) and chance >= 0 for chance in row)
                require(is_chance and abs(sum(row) - 1) < 1e-6, key, needs)

    @property
    def is_noisy(self) -> bool:
        """Whether some labels are made wrong on purpose."""
        return self.label_noise > 0 or self.label_noise_matrix is not None

    @property
    def has_annotators(self) -> bool:
        """Whether several people labelled items, each by themselves."""
        return self.annotations is not None

    @property
    def num_held_out(self) -> int:
        """Items for validation, as many as ``val_size`` says or the data do; see ``tasks.measured``."""
        return self.val_size or 0

    @property
    @abstractmethod
    def roles(self) -> tuple[str, ...]:
        """The augmented views that there are."""

    @abstractmethod
    def seen(self, item: Item, role: str) -> Item:
        """What an item is, seen through the view ``role``. Raises InputError where that view does not suit it."""

    def fed(self, item: Item) -> Item:
        """What an item is to a network, which may be told its task as well."""
        return self.stream.fed(item) if self.stream else item

    def check(self, item: Item) -> None:  # noqa: B027 most suit all
        """Raise InputError where a setting does not suit such items."""

    @property
    def paths(self) -> dict[str, str | None]:
        """Where files are, by the settings that say so."""
        of_stream = self.stream.paths if self.stream else {}
        return {
            "root": self.root,
            "annotations": self.annotations,
            "corrections": self.corrections,
            **{f"{STREAM}{name}": path for name, path in of_stream.items()},
        }

    def placed(self, paths: Mapping[str, str | None]) -> "DatasetSettings":
        """These settings with other ``paths``."""
        own: dict[str, Any] = {name: path for name, path in paths.items() if not name.startswith(STREAM)}
        if self.stream:
            others = {name.removeprefix(STREAM): path for name, path in paths.items() if name.startswith(STREAM)}
            own["stream"] = self.stream.placed(others)
        return replace(self, **own)

    def elsewhere(self, root: str) -> "DatasetSettings":
        """These settings for test items that are at ``root``."""
        return replace(self, root=root)

    def alone(self, root: str) -> "DatasetSettings":
        """These settings for items that are all at ``root``, such as those of a period."""
        others: dict[str, Any] = {name: None for name in self.paths if not name.startswith(STREAM)}
        unread = {"consensus": ConsensusKind.majority, "corrections_column": CORRECTED}
        return replace(self, stream=None, **{**others, **unread, "root": root})

    @property
    def further_roles(self) -> dict[str, str]:
        """Views that the dataset's own settings ask for, and by which key."""
        return {}
