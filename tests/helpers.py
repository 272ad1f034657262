"""Small runs inside the test process, and what is compared of them."""

import gzip
import json
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from sdrun import methods, models, preflight, refusal, run, tasks, trust
from sdrun.answers.categorical import Categorical
from sdrun.choices import conf_folder
from sdrun.comparison.index import Entry, listing
from sdrun.compositions import Compositions
from sdrun.configuration import register, settings_from
from sdrun.data.labelled import Splits
from sdrun.data.source import Memory
from sdrun.data.splits import split
from sdrun.errors import Interrupted
from sdrun.judges import costs
from sdrun.models.backbone import Backbone, Network
from sdrun.plugins import registry
from sdrun.settings import Item, Settings
from sdrun.storage import checkpoints
from sdrun.storage.folder import RunFolder
from sdrun.streams.shuffled import Shuffled
from sdrun.tasks.images.idx import IDX_FILES
from sdrun.tasks.images.task import OfImages
from sdrun.tasks.images.views.view import Normalise

QUICK = ("pictures=false", "hardware.device=cpu", "hardware.threads=1", "hardware.precision=fp32")
"""Of every run in tests. Drawing is most of a small one: the few that are about pictures turn it on."""

SMALL = (
    "dataset=digits",
    "dataset.train_size=120",
    "dataset.val_size=60",
    "model.widths=[8,8]",
    "optim.batch_size=40",
    "optim.epochs=4",
    "log_every=2",
    *QUICK,
)

SMALL_TEXTS = (
    "dataset=sentences",
    "dataset.train_size=120",
    "optim.batch_size=40",
    "optim.epochs=3",
    "log_every=2",
    *QUICK,
)

SMALL_VIT = (*(o for o in SMALL if not o.startswith("model")), "model=vit_tiny", "model.width=24", "model.depth=2")
"""Without BatchNorm, whose statistics are each rank's own on a CPU."""

SMALL_TRANSFORMER = ("model=transformer", "model.width=16", "model.depth=2", "model.vocabulary=600")

SMALL_VECTORS = (
    "dataset=vectors",
    "dataset.num_labels=40",
    "model.width=8",
    "optim.batch_size=20",
    "optim.epochs=3",
    "log_every=2",
    *QUICK,
)


def is_time(name: str) -> bool:
    """Whether a metric is a measured time, which no two runs have in common."""
    return name == "train/samples_per_second" or "milliseconds" in name


@contextmanager
def with_few_timed() -> Iterator[None]:
    """While it lasts, how long a network takes is measured on few items, and once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "ROUNDS", 1)
        for batch in costs.TIMED:
            patch.setitem(costs.TIMED, batch, batch)
        yield


def images(channels: int, size: int) -> Item:
    """What square images are to a network."""
    return Item("images", (channels, size, size))


def models_of(kind: str) -> list[str]:
    """The choices of ``model`` that take such items."""
    names = sorted(path.stem for path in (conf_folder() / "model").glob("*.yaml"))
    return [name for name in names if settings(f"model={name}").model.takes == kind]


TWO_TEXTS = torch.tensor([[5, 7, 300, 5], [9, 0, 0, 0]], dtype=torch.int32)


def shuffled(images, labels, views, pool, batch_size, words, rank=0, world=1) -> Shuffled:
    """A stream of images in memory; ``labels`` may be None."""
    known = {} if labels is None else {"label": labels}
    return Shuffled(
        Memory({"image": images, **known}),
        inputs=("image",),
        views={role: (OfImages(view), num) for role, (view, num) in views.items()},
        clean=OfImages(Normalise([0.0], [1.0], images.device, False)),
        pool=pool,
        batch_size=batch_size,
        words=words,
        rank=rank,
        world=world,
    )


def classifier(backbone: Backbone, num_classes: int) -> Network:
    """The network that a recipe makes of a backbone by default."""
    return Network(backbone, Categorical(num_classes).head(backbone.num_features))


def compose(*overrides: str) -> DictConfig:
    """The composition that ``sdrun OVERRIDES`` runs with."""
    register()
    (config,) = preflight.composed(get_args_parser().parse_args(list(overrides)))[1]
    return config


def settings(*overrides: str) -> Settings:
    """Those of ``sdrun OVERRIDES``. Choices of groups are composed once for the same plugins, values set on a copy."""
    rooms = tuple(place for room in (methods, models, tasks) for place in room.__path__)
    plugins = (*registry.methods.items(), *registry.models.items(), *registry.datasets.items())
    return _settings(overrides, rooms, plugins)


def splits_of(*overrides: str) -> Splits:
    """The items that a run with these settings has."""
    dataset = settings(*overrides).dataset
    return split(tasks.load(dataset), dataset)


def few_digits(*overrides: str) -> Splits:
    return splits_of("dataset=digits", "dataset.train_size=100", "dataset.val_size=20", *overrides)


@cache
def _settings(overrides: tuple[str, ...], *plugged: Hashable) -> Settings:
    compositions, parser = _compositions(*plugged)
    with refusal.in_words():
        config = compositions.config([trust.lenient(word) for word in parser.parse_overrides(list(overrides))])
    return settings_from(config)


@cache
def _compositions(*_: Hashable) -> tuple[Compositions, OverridesParser]:
    register()
    arguments = get_args_parser().parse_args([])
    loader = preflight._loader(arguments)
    return Compositions(preflight.composed(arguments)[0], loader), OverridesParser.create(loader)


def check(*overrides: str) -> None:
    """What ``sdrun OVERRIDES`` checks before it starts."""
    hydra, (config,) = preflight.composed(get_args_parser().parse_args(list(overrides)))
    preflight.check(settings_from(config), hydra, is_sweep=False)


def start(path: Path, *overrides: str, base: tuple[str, ...] = SMALL, store: Path | None = None) -> Path:
    """Run ``sdrun BASE OVERRIDES`` into ``path``, in this process."""
    run.start(settings(*base, *overrides), path, list(overrides), store=store)
    return path


def interrupted(path: Path, stage: str, step: int, monkeypatch, *overrides: str) -> Path:
    """A run that stopped in ``stage`` after the checkpoint of ``step``."""
    save = checkpoints.Checkpoints.save

    def save_and_stop(self, at, state):
        save(self, at, state)
        if self.folder.name == stage and at == step:
            raise Interrupted(15)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Checkpoints, "save", save_and_stop)
        with pytest.raises(Interrupted):
            start(path, *overrides)
    assert summary(path)["status"] == "interrupted"
    return path


def in_pieces(path: Path, monkeypatch, *overrides: str) -> None:
    """The run of these overrides alone, stopped after every fifth checkpoint, of which each step has one."""
    save, count = checkpoints.Checkpoints.save, [0]

    def save_and_stop(self, at, state):
        save(self, at, state)
        count[0] += 1
        if count[0] % 5 == 0:
            raise Interrupted(15)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Checkpoints, "save", save_and_stop)
        with pytest.raises(Interrupted):
            run.start(settings(*overrides, "checkpoint_seconds=0"), path, list(overrides))
        for _ in range(50):
            with suppress(Interrupted):
                run.resume(path)
                break
    assert summary(path)["status"] == "completed"


def manifest(path: Path) -> dict:
    return json.loads((path / "manifest.json").read_text())


def rewrite_manifest(path: Path, **entries) -> None:
    """Change entries of a manifest as sdrun itself would, with its hash."""
    RunFolder(path, manifest(path)).update_manifest(**entries)


def tree(path: Path) -> dict[str, tuple]:
    """Kind, content and time of all that is at and below a folder."""
    return {
        str(file.relative_to(path)): (
            file.lstat().st_mtime_ns,
            file.readlink() if file.is_symlink() else file.read_bytes() if file.is_file() else None,
        )
        for file in sorted(path.rglob("*"))
    }


def points(path: Path) -> list[tuple]:
    """What ``metrics.jsonl`` holds, times left out: (stage, step, epoch, name, value)."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [
        (line["stage"], line["step"], line["epoch"], line["name"], line["value"])
        for line in lines
        if not is_time(line["name"])
    ]


def summary(path: Path) -> dict:
    return json.loads((path / "summary.json").read_text())


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of every final weight file below ``path``."""
    found = {}
    for file in sorted(path.glob("stages/*/*.pt")):
        state = torch.load(file, weights_only=True)
        found |= {f"{file.parent.name}/{file.stem}/{name}": tensor for name, tensor in state.items()}
    return found


def predictions(path: Path) -> dict[str, np.ndarray]:
    found = {}
    for file in sorted(path.glob("predictions/*.npz")):
        with np.load(file) as arrays:
            found |= {f"{file.stem}/{name}": array for name, array in arrays.items()}
    return found


def differences(left: Path, right: Path) -> list[str]:
    """In what two runs differ, times apart; bitwise."""
    found = []
    one, other = weights(left), weights(right)
    if one.keys() != other.keys() or not all(torch.equal(one[name], other[name]) for name in one):
        found.append("weights")
    first, second = predictions(left), predictions(right)
    if first.keys() != second.keys() or not all(np.array_equal(first[name], second[name]) for name in first):
        found.append("predictions")
    if points(left) != points(right):
        found.append("metrics.jsonl")
    stages = [
        [(s["name"], s["steps"], timeless(s["metrics"])) for s in summary(path)["stages"]] for path in (left, right)
    ]
    final = [timeless(summary(path)["metrics"]) for path in (left, right)]
    if stages[0] != stages[1] or final[0] != final[1]:
        found.append("summary.json")
    return found


def timeless(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not is_time(name)}


def idx(array: np.ndarray) -> bytes:
    """The content of an idx file of bytes."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes() + array.tobytes()


def write_idx(folder: Path, zipped: bool = False, num_train: int = 20) -> Path:
    """Random images and labels in the four files of MNIST and Fashion-MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for name, num in zip(IDX_FILES, (num_train, num_train, 10, 10), strict=True):
        is_image = "idx3" in name
        array = random.integers(0, 256 if is_image else 10, (num, 28, 28) if is_image else num).astype(np.uint8)
        data = idx(array)
        (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(data) if zipped else data)
    return folder


def entries(top: Path, with_settings: bool, told: Callable[[int], None] = lambda num: None) -> list[Entry]:
    """What ``sdrun list`` makes of the runs below a folder."""
    return listing(top, with_settings, told).entries
