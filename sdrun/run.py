"""One run: settings, folder, experiment, recipe, summary."""

import logging
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError, safe_load

from sdrun import configuration, methods, models
from sdrun.datasets import sources
from sdrun.datasets.images import Splits, split
from sdrun.display import Display
from sdrun.errors import NO_ROOM, InputError, Interrupted, RunError, require
from sdrun.evaluation.costs import multiply_adds
from sdrun.evaluation.drawing import drawn
from sdrun.evaluation.evaluator import Data
from sdrun.experiment import Experiment, Stage, Stages
from sdrun.hardware import Hardware, peak_memory
from sdrun.interrupt import Interrupt
from sdrun.provenance import git_state, versions
from sdrun.ranks import num_ranks, rank
from sdrun.replay import Replay
from sdrun.settings import Settings, words
from sdrun.storage.files import json_bytes
from sdrun.storage.folder import RunFolder, resuming
from sdrun.storage.initial import initial
from sdrun.storage.manifest import State
from sdrun.storage.record import Record
from sdrun.training import Training

log = logging.getLogger(__name__)

NO_FILES: Mapping[str, str] = MappingProxyType({})

COMPUTE = ("steps", "samples", "multiply_adds", "seconds")
"""What the training of a stage takes, and of a run in all."""

FREE = ("dataset.root", "dataset.download", "checkpoint_seconds")
"""Settings that change no result, and may be others when a run goes on."""

THERE = (State.whole, State.unverified)


def start(config: DictConfig, path: Path | None, overrides: list[str], files: Mapping[str, str] = NO_FILES) -> None:
    """A new run in the folder ``path``; every rank but the first gives None and takes the first one's.

    ``files``: the text of further ones in the folder, such as Hydra's ``.hydra/config.yaml``, by their place there.
    Raises InputError, RunError, or Interrupted with the state saved; ``summary.json`` then tells as much.
    """
    settings = configuration.settings_from(config)
    with ExitStack() as stack:
        images = sources.load(settings.dataset).train.images
        hardware = Hardware.start(settings.hardware, _work(settings, images))
        stack.callback(hardware.close)
        num_images = settings.dataset.num_train(len(images))
        auto = settings.method.resolve(num_images) if hasattr(settings.method, "resolve") else {}
        config = configuration.resolved(config, hardware.settings, auto)
        settings = configuration.settings_from(config)
        shared = Path(hardware.from_main(lambda: str(create(path, config, settings, hardware, overrides, files))))
        execute(settings, config, RunFolder.open(shared), hardware, stack)


def _work(settings: Settings, images: np.ndarray) -> int:
    """Multiply-adds of the backbone's forward pass for what a process sees of a batch at once.

    images: [N, C, H, W].
    """
    _, channels, size, _ = images.shape
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        backbone = models.backbone(settings.model, channels, size).eval()
        image = torch.empty(1, channels, size, size)
    return multiply_adds(backbone, image) * settings.optim.batch_size // (settings.optim.accumulate * num_ranks())


def resume(path: Path, overrides: Sequence[str] = (), repair: bool = False) -> None:
    """Go on with the run in ``path``, with its settings and on its hardware. Raises as ``start`` does.

    ``overrides``: of those settings that change no result. A completed run is left alone, unless ``repair`` asks to
    clear what a kill left there, and to make again what is damaged or gone of its files.
    """
    folder = RunFolder.open(path)
    if "evaluates" in folder.manifest:
        raise InputError(f"{path} is an evaluation; make it again by: {_command(folder)}")
    config = load_config(folder)
    change(config, overrides, FREE, "of a run that goes on")
    settings = configuration.settings_from(config)
    if folder.manifest["hardware"]["ranks"] != num_ranks():
        raise InputError(f"{path} ran on another number of ranks; go on with it by: {_command(folder)}")
    splits = split(sources.load(settings.dataset), settings.dataset)
    _require_same(folder, settings, splits.fingerprints())
    if folder.status == "completed" and not repair:
        if rank() == 0:
            _leave_alone(folder)
        return
    if overrides and rank() == 0:
        with folder.locked():
            folder.write({"config.yaml": OmegaConf.to_yaml(config).encode()})
    with ExitStack() as stack:
        hardware = Hardware.start(settings.hardware)
        stack.callback(hardware.close)
        execute(settings, config, folder, hardware, stack, splits)


def _leave_alone(folder: RunFolder) -> None:
    if "writing" in folder.manifest:  # it was killed between its last two writes
        with folder.locked():
            pass
    print(f"{folder.path} is completed; there is nothing to go on with")
    if lost := folder.lost():
        print(f"Gone or damaged: {', '.join(lost)}\nMake it again by: {resuming(folder.path, '--repair')}")
    if damaged := [*folder.damaged_weights(), *([] if folder.is_record_whole() else [folder.metrics.name])]:
        print(f"Damaged, and only a copy brings it back: {', '.join(damaged)}")


def change(config: DictConfig, overrides: Sequence[str], free: tuple[str, ...], where: str) -> None:
    """Set ``key=value`` in a run's settings. Raises InputError for a key that is not ``free``, or a malformed word.

    ``free``: keys; one that ends in a dot stands for all of its group.
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        is_free = any(key.startswith(name) if name.endswith(".") else key == name for name in free)
        allowed = ", ".join(f"{name}*" if name.endswith(".") else name for name in free)
        require(bool(equals) and is_free, key, f"cannot be changed {where}; only {allowed} can")
        try:
            value = safe_load(text)
            is_path = key == "dataset.root" and value is not None
            OmegaConf.update(config, key, configuration.absolute(value) if is_path else value)
        except (OmegaConfBaseException, YAMLError, TypeError) as error:
            raise InputError(f"{key}: {str(error).splitlines()[0]}") from error


def load_config(folder: RunFolder) -> DictConfig:
    """The settings of a run. Raises InputError where they cannot be read, or are more than values."""
    values = folder.document(folder.config.name)
    if key := words.interpolated(values):
        raise InputError(f"{folder.config}: {key} holds ${{...}}, and settings of a run are resolved; write its value")
    return OmegaConf.create(values)


def create(
    path: Path | None,
    config: DictConfig,
    settings: Settings,
    hardware: Hardware,
    overrides: list[str],
    files: Mapping[str, str] = NO_FILES,
    /,
    **more: Any,
) -> Path:
    """A new run folder at ``path`` with these ``files`` in it; ``more`` goes to its manifest.

    Raises InputError where a run is there already, and leaves that one as it is.
    """
    assert path
    manifest = {
        "status": "running",
        "created": _now(),
        "method": settings.method.name,
        "model": settings.model.name,
        "dataset": settings.dataset.name,
        "seed": settings.seed,
        "overrides": overrides,
        "versions": versions(),
        "git": git_state(),
        "hardware": hardware.describe(),
        "data": {},
        "teachers": {},
        "init": None,
        "wall_seconds": 0.0,
        "resumed": [],
        **more,
    }
    folder = RunFolder.create(path, manifest, OmegaConf.to_yaml(config))
    folder.write({place: text.encode() for place, text in files.items()})
    return path


def execute(
    settings: Settings,
    config: DictConfig,
    folder: RunFolder,
    hardware: Hardware,
    stack: ExitStack,
    splits: Splits | None = None,
    source: RunFolder | None = None,
) -> None:
    """Run the recipe in its folder, and keep ``manifest.json`` and ``summary.json`` true however it ends.

    ``splits``: other data than the settings say; ``source``: a finished run whose weights are evaluated, for no
    training.
    """
    is_main = hardware.is_main
    if is_main:
        stack.enter_context(folder.locked())
    is_repair = folder.status == "completed"
    display = Display(folder.path / "run.log" if is_main else None)
    stack.callback(display.close)
    interrupt = stack.enter_context(Interrupt())
    results: list[dict[str, Any]] = []
    clock, earlier = time.monotonic(), folder.manifest["wall_seconds"]

    def note(status: str, **more: Any) -> None:
        """A completed run stays so, and its summary is replaced only where it is lost, by one as complete."""
        if not is_main or (is_repair and (status != "completed" or folder.state("summary.json") in THERE)):
            return
        entries = {"status": status, "wall_seconds": round(earlier + time.monotonic() - clock, 3)}
        content = _summary(folder, {**folder.manifest, **entries}, results, more)
        folder.write({"summary.json": json_bytes(content)}, **entries)

    def note_if_possible(status: str, **more: Any) -> str:
        """What to say where the disk is full; of a folder that is gone, nothing."""
        with suppress(RunError):
            try:
                note(status, **more)
            except OSError:
                return f"\nIts status could not be written: it says {folder.manifest['status']} still"
        return ""

    splits = splits or split(sources.load(settings.dataset), settings.dataset)
    if is_main and not is_repair:
        _open(folder, settings, splits.fingerprints(), display)
    try:
        note("running")
        record = Record(folder) if is_main else None
        if record:
            stack.callback(record.close)
            _note_damage(folder, settings)
        data = Data(splits, settings.dataset, hardware)
        stages: Stages
        if source and record:
            stages = Replay(source, settings, data, hardware, folder, record, display, results)
        else:
            progress = partial(note, "running")
            stages = Training(settings, data, hardware, folder, record, display, interrupt, results, progress)
        experiment = Experiment(settings, data, hardware, stages)
        final: Stage = methods.recipe(settings.method.name)(settings.method, experiment)
        if record and (not is_repair or folder.lost("tensorboard")):
            _overview(record, config, results, final)
        note("completed", metrics=final.metrics)
    except (Interrupted, KeyboardInterrupt):
        unsaid = note_if_possible("interrupted")
        display.say(f"Interrupted and saved. Go on with: {_command(folder)}{unsaid}")
        raise
    except Exception as error:
        if is_main:
            log.exception("the run failed")
        known = _explained(error, folder)
        unsaid = note_if_possible("failed", error=str(known))
        raise type(known)(f"{known}{unsaid}") from error
    if is_main:
        display.table(results)
        display.say(f"Run          {folder.path}")
        display.say(f"TensorBoard  {_tensorboard()} --logdir {shlex.quote(str(folder.tensorboard))}")
    if interrupt.signum is not None:  # it came after the last step; a sweep must not go on
        raise Interrupted(interrupt.signum)


def _explained(error: Exception, folder: RunFolder) -> Exception:
    """The error as a person should see it."""
    try:
        folder.require_there()
    except RunError as gone:
        return gone
    if isinstance(error, InputError | RunError):
        return error
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        where = error.filename or folder.path
        return RunError(f"{where}: {error.strerror}; make room, then: {_command(folder)}")
    if isinstance(error, OSError) and error.filename:
        return RunError(f"{error.filename}: {error.strerror}\nThe traceback is in {folder.path / 'run.log'}")
    return RunError(f"{type(error).__name__}: {error}\nThe traceback is in {folder.path / 'run.log'}")


def _note_damage(folder: RunFolder, settings: Settings) -> None:
    """Weights that do not count are not made again; those that count are required whole where they are used."""
    for name in folder.damaged_weights():
        if not name.endswith(f"/{settings.optim.select.value}.pt"):
            folder.note_damage(f"{name} is not what this run wrote; no result rests on it")


def _command(folder: RunFolder) -> str:
    """What finishes the run."""
    if "evaluates" in folder.manifest:
        return shlex.join(["sdrun", "evaluate", folder.manifest["evaluates"]])
    ranks = folder.manifest["hardware"]["ranks"]
    command = resuming(folder.path)
    return command if ranks == 1 else f"torchrun --nproc-per-node {ranks} -m {command}"


def _require_same(folder: RunFolder, settings: Settings, fingerprints: dict[str, str]) -> None:
    """Raise InputError where a run would go on with other data, or from other weights, than it began with."""
    known = folder.manifest["data"]
    if known and _initial(settings) != folder.manifest.get("init"):
        raise InputError(f"{folder.path} cannot go on: {settings.init_from} changed since it began; start a new run")
    if known and known != fingerprints:
        changed = ", ".join(name for name in fingerprints if known.get(name) != fingerprints[name])
        raise InputError(f"{folder.path} cannot go on: its data changed since it began ({changed}); start a new run")


def _open(folder: RunFolder, settings: Settings, fingerprints: dict[str, str], display: Display) -> None:
    """Note that the run is under way."""
    is_resumed = bool(folder.manifest["data"])
    if is_resumed:
        folder.manifest["resumed"].append(_now())
    folder.manifest.update(data=fingerprints, init=_initial(settings))
    display.say(f"{'Resuming' if is_resumed else 'Run'} {folder.path}")


def _initial(settings: Settings) -> dict[str, str] | None:
    start = initial(settings)
    return start.describe() if start else None


def _summary(
    folder: RunFolder, manifest: dict[str, Any], results: list[dict[str, Any]], more: dict[str, Any]
) -> dict[str, Any]:
    """What has come out so far: stages that this process has not come to yet are in it as well."""
    kept = ("status", "method", "model", "dataset", "seed", "overrides", "wall_seconds")
    names = {result["name"] for result in results}
    finished = [*results, *(result for result in folder.results() if result["name"] not in names)]
    return {
        **{key: manifest[key] for key in kept},
        "compute": {key: sum(stage.get(key, 0) for stage in finished) for key in COMPUTE},
        "process_peak_memory_bytes": peak_memory(),
        "metrics": {},
        **more,
        "stages": [{key: value for key, value in result.items() if key != "position"} for result in finished],
    }


def _overview(record: Record, config: DictConfig, results: list[dict[str, Any]], final: Stage) -> None:
    from sdrun.evaluation.pictures import over_stages

    trained = [result for result in results if result["steps"]]
    pictures = {}
    if len(trained) > 1:
        names, metrics = [result["name"] for result in trained], [result["metrics"] for result in trained]
        if figure := drawn(title := "test/over_stages", lambda: over_stages(names, metrics)):
            pictures[title] = figure
    shown = {key: value for key, value in final.metrics.items() if key.count("/") == 1}
    record.overview(configuration.leaves(config), shown, pictures)


def _tensorboard() -> str:
    return "tensorboard" if shutil.which("tensorboard") else f"{sys.executable} -m tensorboard.main"


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
