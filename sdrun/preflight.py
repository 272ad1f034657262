"""What can be known to be wrong before a folder is made: keys, types, ranges, data, place.

Imports no torch before settings and data are found good.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hydra import version
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sdrun import models, tasks
from sdrun.choices import conf_folder
from sdrun.compositions import Compositions, without_hydra
from sdrun.data.labelled import Splits
from sdrun.data.splits import split
from sdrun.errors import InputError, require, said
from sdrun.plugins import registry
from sdrun.ranks import num_ranks
from sdrun.reach import reaching
from sdrun.refusal import in_words, quoting
from sdrun.settings import Item, Settings
from sdrun.settings.words import printable
from sdrun.storage.initial import initial
from sdrun.storage.place import require_free
from sdrun.storage.sweeps import require_new
from sdrun.trust import Loader, lenient

if TYPE_CHECKING:
    from torch import Tensor

    from sdrun.models.backbone import Backbone

VERSION_BASE = "1.3"
"""Of Hydra, whose behaviour it says."""

SWEEPER = "hydra_plugins.sdrun_sweeps.GridSweeper"
MANY = 100


def composed(arguments: Namespace) -> tuple[DictConfig, Iterator[DictConfig]]:
    """Hydra's own settings, and those of every job that its parsed command line asks for, each made as it is taken.

    Keys that do not exist are let through, for ``settings_from`` knows better what was meant. Raises InputError.
    """
    with in_words():
        loader = _loader(arguments)
        parser = OverridesParser.create(config_loader=loader)
        name = str(arguments.config_name or "config")
        for line in arguments.overrides:
            require(not line.startswith("="), line, "has no key before the =; write no space beside it")

        def one(overrides: list[str]) -> DictConfig:
            settings = parser.parse_overrides(overrides)
            for line in (str(setting.input_line) for setting in settings if setting.is_sweep_override()):
                way_out = "sweep over it by -m, or write a list as [1,2]"
                raise InputError(f"Ambiguous value for argument '{line}': {way_out}{quoting(line)}")
            return loader.load_configuration(name, [lenient(setting) for setting in settings], RunMode.RUN)

        if not arguments.multirun:
            config = one(arguments.overrides)
            require(config.hydra.mode is not RunMode.MULTIRUN, "hydra.mode", "a sweep is asked for by: sdrun -m")
            return config, iter([without_hydra(config)])
        overrides = parser.parse_overrides(arguments.overrides)
        fixed = one([str(override.input_line) for override in overrides if not override.is_sweep_override()])
        if fixed.hydra.sweeper._target_ != SWEEPER:
            return fixed, iter([without_hydra(fixed)])  # another sweeper finds its values later; each job checks itself
        swept = [f"{key}={value}" for key, value in (fixed.hydra.sweeper.get("params") or {}).items()]
        jobs = BasicSweeper.split_arguments(parser.parse_overrides([*swept, *arguments.overrides]), None)[0]
        require(bool(jobs), "--multirun", "gives no job, for a key has no values; give it some, as seed=0,1")
        compositions = Compositions(fixed, loader)
        reached, notes = reaching(jobs, compositions)
        for note in notes:
            print(printable(note), file=sys.stderr)
        lines = [[lenient(word) for word in parser.parse_overrides(job)] for job in reached]
        return fixed, _each(compositions, lines)


def _each(compositions: Compositions, lines: list[list[str]]) -> Iterator[DictConfig]:
    if len(lines) > MANY:
        print(f"Checking {len(lines):,} jobs", file=sys.stderr)
    for line in lines:
        with in_words():
            config = compositions.config(line)
        yield config


def check(settings: Settings, hydra: DictConfig, is_sweep: bool) -> None:
    """Raise InputError where the data, device or folder that a job's settings and Hydra's own ask for cannot do."""
    require_learnable(settings)
    try:
        folder = OmegaConf.select(hydra, "hydra.sweep.dir" if is_sweep else "hydra.run.dir")
    except OmegaConfBaseException:
        folder = None  # a pattern that only Hydra itself can resolve
    if folder:
        _require_place(Path(folder), is_sweep, is_new=not OmegaConf.select(hydra, "hydra.sweeper.resumes"))
    from sdrun.hardware import resolve

    resolve(settings.hardware)


def require_learnable(settings: Settings) -> None:
    """Raise InputError where data, method and network of these settings do not go together."""
    published = tasks.load(settings.dataset)
    settings = replace(settings, dataset=tasks.measured(settings.dataset, published))
    settings.check_data(published.item, len(published.train), num_ranks())
    splits = split(published, settings.dataset)
    counts = splits.counts
    settings.method.check_items(counts)
    single = f"{settings.method.name} needs one right class of each item, and here several are"
    require(counts.most_right == 1 or settings.method.counts_any, "method", single)
    _require_views(settings, published.item)
    if settings.method.models or settings.method.guests:
        _require_networks(settings, splits, settings.dataset.fed(published.item))
    start = initial(settings)
    if start or settings.model.origin or settings.model.architecture in registry.models:
        backbone = models.build(settings.model, settings.dataset.fed(published.item))
        if start:
            start.load_into(backbone)


def _require_networks(settings: Settings, splits: Splits, item: Item) -> None:
    """Raise InputError where networks that teach and networks that are trained do not suit each other."""
    from sdrun import guests
    from sdrun.models.backbone import shape_of

    every = {**settings.method.models, "model": settings.model}
    own = {key: shape_of(models.shape(model, item)) for key, model in every.items()}
    invited = {run: guests.require_fit(run, splits, settings.dataset).network for run in settings.method.guests}
    settings.method.check_networks({run: shape_of(network) for run, network in invited.items()}, own)


def _require_views(settings: Settings, item: Item) -> None:
    """Raise InputError where views of another size do not go through the network that is made for the items."""
    seen = {role: settings.dataset.seen(item, role) for role in settings.method.roles}
    others = {role: view for role, view in seen.items() if view != item}
    if not others:
        return
    import torch

    from sdrun.models.backbone import zeros

    with models.without_weights(settings.model), torch.random.fork_rng(devices=[]), torch.no_grad():
        backbone = models.build(settings.model, item).eval()
        for role, view in others.items():
            fault = _fault(backbone, zeros(settings.model.taken(view)))
            told = f"{settings.model.title}, made for {item}, takes no {view} ({fault}); choose others or another model"
            require(not fault, f"dataset.views.{role}.size", told)


def _fault(backbone: "Backbone", items: "Tensor") -> str:
    try:
        backbone(items)
    except Exception as error:  # of any kind: each network has its own way to say that it takes no such items
        return said(error)
    return ""


def _loader(arguments: Namespace) -> Loader:
    """What Hydra composes by, and from the same folders."""
    setup_globals()
    version.setbase(VERSION_BASE)
    search_path = create_config_search_path(str(arguments.config_path or conf_folder()))
    if more := arguments.config_dir:
        require(os.path.isdir(more), "--config-dir", f"{more} is no folder")
        search_path.prepend("command-line", f"file://{os.path.abspath(more)}", SearchPathQuery(provider="schema"))
    return Loader(search_path)


def _require_place(folder: Path, is_sweep: bool, is_new: bool) -> None:
    """``is_new``: of a sweep, that it must not be there already, as one of a grid."""
    other = f"another folder by hydra.{'sweep' if is_sweep else 'run'}.dir=FOLDER"
    try:
        if is_sweep and is_new:
            require_new(folder)
        if not is_sweep:
            require_free(folder, None)
        existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}; choose {other}") from error
    require(existing.is_dir(), str(existing), f"is a file where a folder should go; move it, or choose {other}")
    require(os.access(existing, os.W_OK), str(existing), f"cannot be written to; choose {other}")
