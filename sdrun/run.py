"""One run: settings, folder, experiment, recipe, summary."""

import errno
import logging
import shutil
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from sdrun import configuration, methods
from sdrun.datasets import sources
from sdrun.datasets.images import Splits, split
from sdrun.display import Display
from sdrun.errors import InputError, Interrupted, RunError
from sdrun.evaluation.drawing import drawn
from sdrun.evaluation.evaluator import Data
from sdrun.experiment import Experiment, Stage, Stages
from sdrun.hardware import Hardware, peak_memory
from sdrun.interrupt import Interrupt
from sdrun.provenance import git_state, versions
from sdrun.ranks import num_ranks
from sdrun.replay import Replay
from sdrun.settings import Settings
from sdrun.storage.folder import RunFolder
from sdrun.storage.initial import initial
from sdrun.storage.record import Record
from sdrun.training import Training

log = logging.getLogger(__name__)

COMPUTE = ("steps", "samples", "multiply_adds", "seconds")
"""What the training of a stage takes, and of a run in all."""


def start(config: DictConfig, path: Path | None, overrides: list[str]) -> None:
    """A new run in the folder ``path``; every rank but the first gives None and takes the first one's.

    Raises InputError, RunError, or Interrupted with the state saved; ``summary.json`` then tells as much.
    """
    settings = configuration.settings_from(config)
    with ExitStack() as stack:
        hardware = Hardware.start(settings.hardware)
        stack.callback(hardware.close)
        num_images = settings.dataset.num_train(len(sources.load(settings.dataset).train))
        auto = settings.method.resolve(num_images) if hasattr(settings.method, "resolve") else {}
        config = configuration.resolved(config, hardware.settings, auto)
        settings = configuration.settings_from(config)
        shared = Path(hardware.from_main(lambda: str(create(path, config, settings, hardware, overrides))))
        execute(settings, config, RunFolder.open(shared), hardware, stack)


def resume(path: Path) -> None:
    """Go on with the run in ``path``, with its settings and on its hardware. Raises as ``start`` does."""
    folder = RunFolder.open(path)
    if "evaluates" in folder.manifest:
        raise InputError(f"{path} is an evaluation; make it again by: sdrun evaluate {folder.manifest['evaluates']}")
    config = load_config(folder)
    settings = configuration.settings_from(config)
    if folder.manifest["hardware"]["ranks"] != num_ranks():
        raise InputError(f"{path} ran on another number of ranks; go on with it by: {_command(folder)}")
    with ExitStack() as stack:
        hardware = Hardware.start(settings.hardware)
        stack.callback(hardware.close)
        execute(settings, config, folder, hardware, stack)


def load_config(folder: RunFolder) -> DictConfig:
    """The settings of a run. Raises InputError where they cannot be read."""
    try:
        config = OmegaConf.load(folder.config)
    except (OSError, ValueError, YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder.config} cannot be read ({reason}); start the run anew") from error
    assert isinstance(config, DictConfig)
    return config


def create(
    path: Path | None, config: DictConfig, settings: Settings, hardware: Hardware, overrides: list[str], **more: Any
) -> Path:
    """A new run folder at ``path``; ``more`` goes to its manifest. Raises InputError where a run is there already."""
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
    RunFolder.create(path, manifest, OmegaConf.to_yaml(config))
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
    display = Display(folder.path / "run.log" if is_main else None)
    stack.callback(display.close)
    interrupt = stack.enter_context(Interrupt())
    results: list[dict[str, Any]] = []
    clock, earlier = time.monotonic(), folder.manifest["wall_seconds"]

    def note(status: str, **more: Any) -> None:
        if is_main:
            folder.manifest.update(status=status, wall_seconds=round(earlier + time.monotonic() - clock, 3))
            folder.write_summary(_summary(folder.manifest, results, more))
            folder.write_manifest()

    splits = splits or split(sources.load(settings.dataset), settings.dataset)
    if is_main:
        _open(folder, settings, splits.fingerprints(), display)
    try:
        note("running")
        record = Record(folder) if is_main else None
        if record:
            stack.callback(record.close)
        data = Data(splits, settings.dataset, hardware)
        stages: Stages
        if source and record:
            stages = Replay(source, settings, data, hardware, folder, record, display, results)
        else:
            stages = Training(settings, data, hardware, folder, record, display, interrupt, results)
        experiment = Experiment(settings, data, hardware, stages)
        final: Stage = methods.recipe(settings.method.name)(settings.method, experiment)
        if record:
            _overview(record, config, results, final)
        note("completed", metrics=final.metrics)
    except (Interrupted, KeyboardInterrupt):
        note("interrupted")
        display.say(f"Interrupted and saved. Go on with: {_command(folder)}")
        raise
    except Exception as error:
        if is_main:
            log.exception("the run failed")
        known = _explained(error, folder)
        note("failed", error=str(known))
        raise known from error
    if is_main:
        display.table(results)
        display.say(f"Run          {folder.path}")
        display.say(f"TensorBoard  {_tensorboard()} --logdir {folder.tensorboard}")
    if interrupt.signum is not None:  # it came after the last step; a sweep must not go on
        raise Interrupted(interrupt.signum)


def _explained(error: Exception, folder: RunFolder) -> Exception:
    """The error as a person should see it."""
    if isinstance(error, InputError | RunError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        where = error.filename or folder.path
        return RunError(f"{where}: {error.strerror}; make room, then: {_command(folder)}")
    return RunError(f"{type(error).__name__}: {error}\nThe traceback is in {folder.path / 'run.log'}")


def _command(folder: RunFolder) -> str:
    """What finishes the run."""
    if "evaluates" in folder.manifest:
        return f"sdrun evaluate {folder.manifest['evaluates']}"
    ranks = folder.manifest["hardware"]["ranks"]
    program = "sdrun" if ranks == 1 else f"torchrun --nproc-per-node {ranks} -m sdrun"
    return f"{program} resume {folder.path}"


def _open(folder: RunFolder, settings: Settings, fingerprints: dict[str, str], display: Display) -> None:
    """Note that the run is under way, and that it goes on with the data that it began with."""
    start = initial(settings)
    init = start.describe() if start else None
    known = folder.manifest["data"]
    if known and init != folder.manifest.get("init"):
        raise InputError(f"{folder.path} cannot go on: {settings.init_from} changed since it began; start a new run")
    if known and known != fingerprints:
        changed = ", ".join(name for name in fingerprints if known.get(name) != fingerprints[name])
        raise InputError(f"{folder.path} cannot go on: its data changed since it began ({changed}); start a new run")
    if known:
        folder.manifest["resumed"].append(_now())
    folder.manifest.update(data=fingerprints, init=init)
    display.say(f"{'Resuming' if known else 'Run'} {folder.path}")


def _summary(manifest: dict[str, Any], results: list[dict[str, Any]], more: dict[str, Any]) -> dict[str, Any]:
    kept = ("status", "method", "model", "dataset", "seed", "overrides", "wall_seconds")
    stages = [{key: value for key, value in result.items() if key != "position"} for result in results]
    return {
        **{key: manifest[key] for key in kept},
        "compute": {key: sum(stage.get(key, 0) for stage in stages) for key in COMPUTE},
        "process_peak_memory_bytes": peak_memory(),
        "metrics": {},
        **more,
        "stages": stages,
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
