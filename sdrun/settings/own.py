"""Settings of items in files of one's own."""

from dataclasses import dataclass, replace

from sdrun.errors import require
from sdrun.settings.checks import require_test_share
from sdrun.settings.dataset import DatasetSettings


@dataclass
class OwnSettings(DatasetSettings):
    """``x``, ``y``: what the arrays of items and labels are called, where that is not x and y; ``group``: the array or
    the column that says what belongs together, and stays on one side of a split.

    What is tested on: ``test_share`` of the items, stratified; or all of another file, ``test_file``; or what the files
    themselves have for it. None of them: a share of 0.2.
    """

    x: str | None
    y: str | None
    group: str | None
    test_share: float | None
    test_file: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(not self.download, "dataset.download", f"has no effect with dataset={self.name}")
        require_test_share(self.test_share)
        is_one = self.test_share is None or self.test_file is None
        require(is_one, "dataset.test_share", "says what is tested on, and so does dataset.test_file; give one of them")

    @property
    def paths(self) -> dict[str, str | None]:
        return {**super().paths, "test_file": self.test_file}

    def elsewhere(self, root: str) -> DatasetSettings:
        """All of the file is tested on, or what it has for that; classes are those of the training items."""
        return replace(self, test_file=root, test_share=None)
