"""A finished run, evaluated again: on other test images, or with another policy of early exit."""

import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from sdrun import configuration, recorded, run
from sdrun.datasets import sources
from sdrun.datasets.images import Splits, split
from sdrun.errors import InputError, require
from sdrun.hardware import Hardware
from sdrun.ranks import num_ranks
from sdrun.settings import DatasetSettings, words
from sdrun.storage.documents import Unreadable, read_json, read_yaml
from sdrun.storage.folder import RunFolder
from sdrun.storage.initial import initial
from sdrun.storage.place import refuse_strange, resuming

TARGETS = ("tolerance", "budget", "thresholds")

FREE = ("hardware.", "dataset.root")
"""Settings that may be others than those of the run."""


def evaluate(path: Path, dataset: str | None, root: str | None, exit_policy: str | None, overrides: list[str]) -> None:
    """Evaluate the weights of the run in ``path`` again, into a run folder of its own below it.

    Whatever is fitted is fitted on that run's own training and validation images; ``dataset`` and ``root`` name the
    dataset whose test images are judged. ``exit_policy``: the file of a policy, or settings such as ``budget=0.5``, by
    which one is found anew; None: the one that the run found.
    ``overrides``: of ``hardware`` and ``dataset.root``. Raises InputError for what cannot be used.
    """
    require(num_ranks() == 1, "sdrun evaluate", "runs in one process; start it without torchrun")
    source = RunFolder.open(path)
    require(source.status == "completed", str(path), f"is {source.status}; finish it by: {resuming(path)}")
    require("evaluates" not in source.manifest, str(path), "is an evaluation itself; name the run")
    config = recorded.load_config(source)
    recorded.change(config, overrides, FREE, "of a finished run")
    refuse_strange(path)
    has_exits = "exit_policy" in config.method
    require(has_exits or not exit_policy, "--exit-policy", f"a run of method={config.method.name} has no exits")
    if has_exits:
        config.method.exit_policy.update(_policy(exit_policy, source))
    settings = configuration.settings_from(config)
    splits = split(sources.load(settings.dataset), settings.dataset)
    known = source.manifest["data"]
    if dataset or root:
        splits = _with_test(splits, settings.dataset, dataset or settings.dataset.name, root)
        known = {name: value for name, value in known.items() if name != "test"}
    found = splits.fingerprints()
    changed = ", ".join(name for name in known if known[name] != found[name])
    require(
        not changed, str(path), f"its data changed since it ran ({changed}); name their folder by dataset.root=FOLDER"
    )
    start = initial(settings)
    is_same = (start.describe() if start else None) == source.manifest["init"]
    require(is_same, "init_from", f"{settings.init_from} changed since {path} ran; that run cannot be played again")
    for stage in source.summary()["stages"]:
        file = source.weights(stage["name"], settings.optim.select.value)
        require(
            file.is_file() or not stage.get("steps"), str(file), "is gone; a run without weights cannot be evaluated"
        )
    if hasattr(settings.method, "check"):
        settings.method.check(settings.model.taps, settings.dataset.val_size)
    with ExitStack() as stack:
        hardware = Hardware.start(settings.hardware)
        stack.callback(hardware.close)
        settings = replace(settings, hardware=hardware.settings)
        options = {"--dataset": dataset, "--root": root, "--exit-policy": exit_policy}
        given = [*(f"{key}={value}" for key, value in options.items() if value), *overrides]
        target = source.evaluations / configuration.version()
        judged = {"evaluates": str(path), "dataset": dataset or settings.dataset.name}
        run.create(target, settings, hardware, given, **judged)
        run.execute(settings, RunFolder.open(target), hardware, stack, splits, source)


def _policy(text: str | None, source: RunFolder) -> dict[str, Any]:
    """Settings of a policy: of the one that the run found, or from a file, or from ``key=value,key=value``."""
    if text is None:
        return _checked(source.document(source.exit_policy), source.exit_policy)
    try:
        if "=" in text and not Path(text).exists():
            pairs = [pair.partition("=") for pair in re.split(r",(?![^\[]*\])", text)]
            values = {key: yaml.safe_load(value) for key, _, value in pairs}
        else:
            values = (read_json if text.endswith(".json") else read_yaml)(Path(text))
    except (Unreadable, ValueError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        hint = "name a file, or settings such as tolerance=0.01"
        raise InputError(f"--exit-policy: {text} cannot be read ({reason}); {hint}") from error
    return _checked(values, text)


def _checked(values: dict[str, Any], text: str) -> dict[str, Any]:
    known = (*TARGETS, "confidence", "temperatures")
    require(bool(values) and not words.interpolated(values), "--exit-policy", f"{text} holds no policy")
    for key in values:
        require(key in known, "--exit-policy", f"{key} is not among {', '.join(known)}")
    if any(target in values for target in TARGETS):
        values = {**dict.fromkeys(TARGETS), **values}
    return values


def _with_test(splits: Splits, own: DatasetSettings, name: str, root: str | None) -> Splits:
    """The same splits with the test images of another dataset. Raises InputError where they are of another kind."""
    root = root or (own.root if name == own.name else None)
    try:
        other = sources.load(replace(own, name=name, root=root, download=False))
    except InputError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--dataset: {reason}\nName the folder of its files by --root FOLDER") from error
    shape, mine = other.test.images.shape[1:], splits.test.images.shape[1:]
    size = "x".join(map(str, shape))
    require(shape == mine, "--dataset", f"{name} has images of {size}, and the run {'x'.join(map(str, mine))}")
    num = len(splits.classes)
    require(len(other.classes) == num, "--dataset", f"{name} has {len(other.classes)} classes, and the run {num}")
    return replace(splits, test=other.test)
