"""One run: settings, folder, experiment, recipe, summary."""

import gc
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from sdrun import beginning, configuration, ending, guests, methods, models, tasks
from sdrun.account import Account, command, explained
from sdrun.context import Context
from sdrun.counting import Size, size
from sdrun.data.labelled import Splits
from sdrun.data.splits import split
from sdrun.display import Display
from sdrun.errors import InputError, Interrupted
from sdrun.experiment import Experiment, Stage
from sdrun.hardware import Hardware, usable_cores
from sdrun.interrupt import Interrupt
from sdrun.models.backbone import zeros
from sdrun.ranks import num_ranks, rank
from sdrun.recorded import change, load_config, require_same
from sdrun.replay import Replay
from sdrun.settings import HardwareSettings, Item, Settings
from sdrun.storage.folder import NO_FILES, RunFolder
from sdrun.storage.initial import initial
from sdrun.storage.record import Record
from sdrun.storage.store import Store
from sdrun.training import Training

log = logging.getLogger(__name__)

FREE = ("checkpoint_seconds",)
"""Settings that change no result, and may be others when a run goes on, beside those of the dataset."""


def start(
    settings: Settings,
    path: Path | None,
    overrides: list[str],
    files: Mapping[str, str] = NO_FILES,
    store: Path | None = None,
    title: str | None = None,
) -> None:
    """A new run in the folder ``path``; every rank but the first gives None and takes the first one's.

    ``files``: the text of further ones in the folder, such as Hydra's ``.hydra/config.yaml``, by their place there.
    ``store``: the folder of the stages that runs of its sweep share; ``title``: the name by which the method was asked
    for, where it is not its own.
    Raises InputError, RunError, or Interrupted with the state saved; ``summary.json`` then tells as much.
    """
    published = tasks.load(settings.dataset)
    settings = replace(settings, dataset=tasks.measured(settings.dataset, published))
    splits = split(published, settings.dataset)
    with ExitStack() as stack:
        backbone = _size(settings, settings.dataset.fed(splits.item))
        work = backbone.multiply_adds * settings.optim.batch_size // (settings.optim.accumulate * num_ranks())
        hardware = Hardware.start(settings.hardware, work)
        stack.callback(hardware.close)
        settings = configuration.resolved(settings, hardware.settings, num_items=len(splits.train))
        create = partial(beginning.create, path, settings, hardware, overrides, files, title=title)
        shared = Path(hardware.from_main(lambda: str(create())))
        execute(settings, RunFolder.open(shared), hardware, stack, splits, store=store, backbone=backbone)


def _size(settings: Settings, item: Item) -> Size:
    """That of the backbone."""
    backbone = models.shape(settings.model, item)
    with models.without_weights(settings.model):
        return size(backbone, zeros(settings.model.taken(item)))


def resume(path: Path, overrides: Sequence[str] = (), repair: bool = False, store: Path | None = None) -> None:
    """Go on with the run in ``path``, with its settings and on its hardware. Raises as ``start`` does.

    ``overrides``: of those settings that change no result; ``store``: see ``start``. A completed run is left alone,
    unless ``repair`` asks to clear what a kill left there, and to make again what is damaged or gone of its files.
    """
    folder = RunFolder.open(path)
    folder.require_current("resumed")
    if "evaluates" in folder.manifest:
        raise InputError(f"{path} is an evaluation; make it again by: {command(folder)}")
    config = load_config(folder)
    change(config, overrides, FREE, "of a run that goes on")
    settings = configuration.settings_from(config)
    if folder.manifest["hardware"]["ranks"] != num_ranks():
        raise InputError(f"{path} ran on another number of ranks; go on with it by: {command(folder)}")
    splits = split(tasks.load(settings.dataset), settings.dataset)
    require_same(folder, settings, splits.fingerprints())
    if folder.status == "completed" and not repair:
        if rank() == 0:
            ending.leave_alone(folder)
        return
    if overrides and rank() == 0:
        with folder.locked():
            folder.write({"config.yaml": configuration.to_yaml(settings).encode()})
    with ExitStack() as stack:
        hardware = Hardware.start(_kept(settings.hardware, folder))
        stack.callback(hardware.close)
        execute(settings, folder, hardware, stack, splits, store=store)


def _kept(hardware: HardwareSettings, folder: RunFolder) -> HardwareSettings:
    """The hardware that a run goes on with. A repair, which trains nothing, does with fewer threads.

    Raises InputError where there are fewer cores than threads, which are part of a result.
    """
    cores = usable_cores()
    if not hardware.threads or hardware.threads <= cores:
        return hardware
    if folder.status != "completed":
        raise InputError(
            f"{folder.path} runs with {hardware.threads} threads, and others give other results, but this process may "
            f"use {cores} cores; go on with it where there are more"
        )
    return replace(hardware, threads=cores)


def execute(
    settings: Settings,
    folder: RunFolder,
    hardware: Hardware,
    stack: ExitStack,
    splits: Splits,
    source: RunFolder | None = None,
    store: Path | None = None,
    backbone: Size | None = None,
) -> None:
    """Run the recipe in its folder, and keep ``manifest.json`` and ``summary.json`` true however it ends.

    ``source``: a finished run whose weights are evaluated, for no training; ``store``: see ``start``; ``backbone``: its
    size, which a new run tells.
    """
    if not gc.isenabled():  # by a start, whose imports stay and need not be looked through ever
        gc.freeze()
        gc.enable()
    is_main = hardware.is_main
    if is_main:
        stack.enter_context(folder.locked())
    display = Display(folder.path / "run.log" if is_main else None, beginning.called(folder, settings))
    stack.callback(display.close)
    interrupt = stack.enter_context(Interrupt())
    account = Account(folder, writes=is_main)
    lost = folder.lost() if account.is_final else []
    if is_main and not account.is_final:
        beginning.tell(folder, settings, splits, display)
    try:
        account.note("running")
        splits = replace(splits, item=settings.model.taken(splits.item))
        record = Record(folder) if is_main else None
        if record:
            stack.callback(record.close)
            beginning.note_damage(folder, settings)
        task = tasks.build(settings.dataset, splits, hardware, _keeper(folder, settings, hardware, source))
        context = Context(
            settings=settings,
            task=task,
            hardware=hardware,
            folder=folder,
            record=record,
            display=display,
            interrupt=interrupt,
            store=Store(store) if store else None,
            guests=guests.invited(settings, task, hardware),
        )
        if is_main and not account.is_final:
            for doubt in context.task.doubts:
                log.warning("%s", doubt)
        stages = Replay(context, source) if source else Training(context, partial(account.note, "running"))
        experiment = Experiment(context, stages)
        if is_main and not (account.is_final or source):
            steps = experiment.steps_ahead()
            beginning.foretell(settings, backbone, max(steps), display, is_longest=min(steps) < max(steps))
        final: Stage = methods.recipe(settings.method.name)(settings.method, experiment)
        if record and (not account.is_final or folder.lost("tensorboard")):
            ending.overview(record, settings, folder.results(), final.metrics)
        account.note("completed", metrics=final.metrics)
    except (Interrupted, KeyboardInterrupt):
        unsaid = account.note_if_possible("interrupted")
        display.say(f"Interrupted{display.where}\nGo on with: {command(folder)}{unsaid}")
        raise
    except Exception as error:
        if is_main:
            log.exception("the run failed")
        told = explained(error, folder)
        unsaid = account.note_if_possible("failed", error=str(told))
        raise type(told)(f"{told}{unsaid}") from error
    if is_main:
        ending.conclude(folder, display, lost if account.is_final else None)
    if interrupt.signum is not None:  # it came after the last stage; a sweep must not go on
        display.say("Interrupted, when the run was completed already")
        raise Interrupted(interrupt.signum)


def _keeper(folder: RunFolder, settings: Settings, hardware: Hardware, source: RunFolder | None) -> tasks.Keep:
    """Files that a run's task makes once: those that are there, or else those of a run that it takes a network of."""
    start = initial(settings)
    runs = [*([start.run] if start else []), *map(Path, settings.method.guests)]
    others = [*([source] if source else []), *map(RunFolder.open, runs)]
    return lambda name, make: hardware.from_main(lambda: folder.kept(name, make, others))
