"""One run: settings, folder, experiment, recipe, summary."""

import logging
import shutil
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sdrun import configuration, methods
from sdrun.datasets import sources
from sdrun.datasets.images import split
from sdrun.display import Display
from sdrun.errors import InputError, Interrupted
from sdrun.experiment import Experiment, Stage
from sdrun.hardware import Hardware, peak_memory
from sdrun.interrupt import Interrupt
from sdrun.provenance import git_state, versions
from sdrun.ranks import num_ranks
from sdrun.settings import Settings
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record

log = logging.getLogger(__name__)


def start(config: DictConfig, path: Path | None, overrides: list[str]) -> None:
    """A new run in the folder ``path``; every rank but the first gives None and takes the first one's.

    Raises InputError, RunError, or Interrupted with the state saved; ``manifest.json`` and ``summary.json`` then tell.
    """
    settings = configuration.settings_from(config)
    with ExitStack() as stack:
        hardware = Hardware.start(settings.hardware)
        stack.callback(hardware.close)
        config = configuration.resolved(config, hardware.settings)
        shared = Path(hardware.from_main(lambda: str(_create(path, config, settings, hardware, overrides))))
        _execute(settings, config, RunFolder.open(shared), hardware, stack)


def resume(path: Path) -> None:
    """Go on with the run in ``path``, with its settings and on its hardware. Raises as ``start`` does."""
    folder = RunFolder.open(path)
    try:
        config = OmegaConf.load(folder.config)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder.config} cannot be read ({error}); start the run anew") from error
    assert isinstance(config, DictConfig)
    settings = configuration.settings_from(config)
    shape = sources.load(settings.dataset).train.images.shape
    settings.check_data(shape[1], shape[2], shape[0], num_ranks())
    with ExitStack() as stack:
        hardware = Hardware.start(settings.hardware)
        stack.callback(hardware.close)
        _execute(settings, config, folder, hardware, stack)


def _create(
    path: Path | None, config: DictConfig, settings: Settings, hardware: Hardware, overrides: list[str]
) -> Path:
    assert path
    folder = RunFolder.create(
        path,
        {
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
            "wall_seconds": 0.0,
            "resumed": [],
        },
    )
    folder.write_config(OmegaConf.to_yaml(config))
    return path


def _execute(settings: Settings, config: DictConfig, folder: RunFolder, hardware: Hardware, stack: ExitStack) -> None:
    is_main = hardware.is_main
    if is_main:
        stack.enter_context(folder.locked())
    display = Display(folder.path / "run.log" if is_main else None)
    stack.callback(display.close)
    interrupt = stack.enter_context(Interrupt())
    record = Record(folder) if is_main else None
    if record:
        stack.callback(record.close)
    clock = time.monotonic()
    splits = split(sources.load(settings.dataset), settings.dataset)
    if is_main:
        _open(folder, splits.fingerprints(), display)
    experiment = Experiment(settings, splits, hardware, folder, record, display, interrupt)

    def close(status: str, **more: Any) -> None:
        if is_main:
            wall = round(folder.manifest["wall_seconds"] + time.monotonic() - clock, 3)
            folder.update_manifest(status=status, wall_seconds=wall)
            folder.write_summary(_summary(folder, experiment, more))

    try:
        final: Stage = methods.recipe(settings.method.name)(settings.method, experiment)
    except Interrupted:
        close("interrupted")
        display.say(f"Interrupted and saved. Go on with: sdrun resume {folder.path}")
        raise
    except BaseException as error:
        log.exception("the run failed")
        close("failed", error=f"{type(error).__name__}: {error}")
        raise
    if record:
        _overview(record, config, settings, experiment, final)
    close("completed", metrics=final.metrics)
    if is_main:
        display.table(experiment.results)
        display.say(f"Run          {folder.path}")
        display.say(f"TensorBoard  {_tensorboard()} --logdir {folder.tensorboard}")


def _open(folder: RunFolder, fingerprints: dict[str, str], display: Display) -> None:
    """Note that the run is under way, and that it goes on with the data that it began with."""
    known = folder.manifest["data"]
    if known and known != fingerprints:
        changed = ", ".join(name for name in fingerprints if known.get(name) != fingerprints[name])
        raise InputError(f"{folder.path} cannot go on: its data changed since it began ({changed}); start a new run")
    if known:
        folder.manifest["resumed"].append(_now())
    folder.update_manifest(status="running", data=fingerprints)
    display.say(f"{'Resuming' if known else 'Run'} {folder.path}")


def _summary(folder: RunFolder, experiment: Experiment, more: dict[str, Any]) -> dict[str, Any]:
    manifest = folder.manifest
    kept = ("status", "method", "model", "dataset", "seed", "overrides", "wall_seconds")
    stages = [{key: value for key, value in result.items() if key != "position"} for result in experiment.results]
    return {
        **{key: manifest[key] for key in kept},
        "peak_memory_bytes": peak_memory(),
        "metrics": {},
        **more,
        "stages": stages,
    }


def _overview(record: Record, config: DictConfig, settings: Settings, experiment: Experiment, final: Stage) -> None:
    from sdrun.evaluation.pictures import over_stages

    trained = [result for result in experiment.results if result["steps"]]
    pictures = {}
    if len(trained) > 1:
        names, metrics = [result["name"] for result in trained], [result["metrics"] for result in trained]
        pictures["test/over_stages"] = over_stages(names, metrics)
    shown = {key: value for key, value in final.metrics.items() if key.count("/") == 1}
    record.overview(configuration.leaves(config), shown, pictures)


def _tensorboard() -> str:
    return "tensorboard" if shutil.which("tensorboard") else f"{sys.executable} -m tensorboard.main"


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
