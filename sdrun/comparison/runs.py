"""A run as its folder tells of it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrun.comparison.declared import EARLIER
from sdrun.judges.metric import Metric, from_json
from sdrun.settings.words import ALIASES, leaves, parted, printable, says, text
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable, read_arrays, read_json, read_yaml
from sdrun.storage.earlier import choice_of_preset, with_later
from sdrun.storage.place import is_left
from sdrun.storage.shape import SUMMARY, require_names, require_shape

if TYPE_CHECKING:
    import numpy as np

LARGEST = 1e150
"""Of a metric; its square is a number too."""

LARGEST_LOGIT = 1e30

LOOKS = 2
"""At a folder that cannot be read, for a run that is under way may write between two files that are read."""


@dataclass(frozen=True)
class Run:
    """A run folder: ``manifest.json``, ``summary.json`` and the values of ``config.yaml`` by dotted key.

    What is there has the kinds of values that sdrun writes, for ``read`` looks; what is not needed may be absent.
    ``stage`` and ``word``: whose predictions are its own, None and nothing for those of the stage that trained last.
    """

    path: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]
    settings: dict[str, Any]
    stage: str | None = None
    word: str = ""

    @property
    def status(self) -> str:
        return standing(self.path, self.recorded_status)

    @property
    def recorded_status(self) -> str:
        return self.summary.get("status", self.manifest["status"])

    @property
    def seed(self) -> int:
        return self.manifest["seed"]

    @cached_property
    def title(self) -> str:
        """Its method by the name that was typed, which may be that of a set of values, such as ``fixmatch``."""
        typed = [value for key, value in map(parted, self.manifest.get("overrides", [])) if key == "method"]
        preset = self.settings.get("method.preset")
        name = self.manifest["method"]
        names = [self.manifest.get("title"), *typed[-1:]]
        if isinstance(preset, str) and names[1:] in ([], [name]):
            names.insert(1, choice_of_preset(name, preset))
        return printable(next((text(name) for name in names if name), name))

    @cached_property
    def stages(self) -> dict[str, dict[str, Any]]:
        return {stage["name"]: stage for stage in self.summary.get("stages", [])}

    @cached_property
    def declared(self) -> dict[str, Metric]:
        """What the metrics mean, by name. Raises ValueError where that is not said of each."""
        return from_json(self.summary["declared"]) if "declared" in self.summary else EARLIER

    def metric(self, name: str) -> float | None:
        """``test/accuracy``, or ``generation_0:test/accuracy`` of a stage; None where it is absent or no number."""
        stage, colon, key = name.rpartition(":")
        metrics = self.stages.get(stage, {}).get("metrics", {}) if colon else self.summary.get("metrics", {})
        value = metrics.get(key)
        is_number = type(value) in (int, float) and abs(value) <= LARGEST
        return float(value) if is_number else None

    @property
    def trained(self) -> str | None:
        """The stage that trained last, whose metrics are the run's."""
        return next((name for name, stage in reversed(self.stages.items()) if stage.get("steps")), None)

    @property
    def seen(self) -> str | None:
        """The stage that it is looked at."""
        return self.stage or self.trained

    def predictions(self) -> "Predictions":
        """Test logits [N, K] and labels [N] of that stage. Raises Unreadable, which names the file."""
        stage = self.seen
        if not stage:
            raise Unreadable("summary.json names no stage that trained")
        name = f"predictions/{stage}.npz"
        logits_of = f"test_{self.word}_logits" if self.word else "test_logits"
        arrays = read_arrays(self.path, name)
        manifests.require_whole(self.manifest, self.path, name)
        if not arrays.keys() >= {logits_of, "test_labels"}:
            raise Unreadable(f"{name} holds no test logits and labels" + f" of {self.word}" * bool(self.word))
        logits, labels = arrays[logits_of], arrays["test_labels"]
        if problem := _problem(logits, labels):
            raise Unreadable(f"{name} cannot be read ({problem})")
        return logits, labels

    def matches(self, filters: Mapping[str, str]) -> bool:
        """Whether settings, ``seed``, ``status``, ``method`` or ``model``, as it is recorded, have these values."""
        own = {**self.settings, "status": self.status, "seed": self.seed, "model": self.manifest.get("model")}
        if filters.get("method") == self.title:
            filters = {key: word for key, word in filters.items() if key != "method"}
        return all(says(word, own.get(key, own.get(ALIASES.get(key, key)))) for key, word in filters.items())


Predictions = tuple["np.ndarray", "np.ndarray"]


def standing(path: Path, recorded: str) -> str:
    """The status of a run: ``killed`` where it could not record that it runs no longer."""
    return "killed" if recorded == "running" and is_left(path) else recorded


def read(path: Path) -> Run:
    """The run in ``path``. Raises Unreadable."""
    for _ in range(LOOKS - 1):
        with suppress(Unreadable):
            return _read(path)
    return _read(path)


def _read(path: Path) -> Run:
    manifest = manifests.read(path)
    settings = read_yaml(path / "config.yaml")
    summary: dict[str, Any] = {}
    if os.path.lexists(path / "summary.json") or manifest["status"] == "completed":
        summary = read_json(path / "summary.json")
        require_shape("summary.json", summary, SUMMARY, ())
        require_names("summary.json", summary.get("stages", []))
    for name in ("config.yaml", "summary.json"):
        manifests.require_whole(manifest, path, name)
    run = Run(path, manifest, summary, dict(leaves(with_later(settings))))
    try:
        _ = run.declared
    except ValueError as error:
        raise Unreadable(f"summary.json declares {error}") from error
    return run


def _problem(logits: "np.ndarray", labels: "np.ndarray") -> str | None:
    """Why arrays are no predictions."""
    import numpy as np

    is_set = labels.dtype == bool and labels.shape == logits.shape
    if logits.ndim != 2 or not (is_set or labels.shape == logits.shape[:1]) or logits.size == 0:
        return f"its shapes are {list(logits.shape)} and {list(labels.shape)}, not [N, K] and [N]"
    if logits.dtype.kind != "f" or not (is_set or labels.dtype.kind in "iu"):
        return f"its kinds are {logits.dtype} and {labels.dtype}, not numbers and classes"
    if not (np.abs(logits) <= LARGEST_LOGIT).all():
        return "its logits are not all finite"
    if is_set and not labels.any(axis=1).all():
        return "of some items no class is right"
    if not is_set and (labels.min() < 0 or labels.max() >= logits.shape[1]):
        return f"its labels are not all among the {logits.shape[1]} classes"
    return None
