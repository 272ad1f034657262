"""What a sweep was asked for by, as Hydra has it and as a command that goes on with it. Imports no torch."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sdrun.choices import conf_folder
from sdrun.errors import require
from sdrun.settings.words import override, parted
from sdrun.storage.sweeps import Command, SweepFolder

RESUMES, DRY, BUDGET = "hydra.sweeper.resumes", "hydra.sweeper.dry_run", "hydra.sweeper.budget"
OWN = ("hydra.sweep.dir", "hydra.mode", RESUMES, DRY, BUDGET)
"""Overrides of a command that each start of its sweep has its own of."""

IN_FULL = {"jobs": "hydra.launcher.jobs", "reuse": "hydra.sweeper.reuse"}
"""What is said in short."""


def in_full(word: str) -> str:
    """``jobs=2`` as Hydra knows it; any other word as it is."""
    key, equals, value = word.partition("=")
    return f"{IN_FULL[key]}={value}" if equals and key in IN_FULL else word


def command(config: DictConfig) -> Command:
    """What Hydra was asked for, so that it can be asked again; its folders by their paths from the root."""
    asked: Any = OmegaConf.to_container(config.hydra.overrides, resolve=False)  # a word may hold ${...}
    words = [*asked["hydra"], *asked["task"]]
    sources = {source.provider: source.path for source in config.hydra.runtime.config_sources}
    own = str(sources.get("main", conf_folder()))
    return Command(
        overrides=[word for word in words if parted(word)[0] not in OWN],
        folder=str(config.hydra.runtime.cwd),
        config_name=str(config.hydra.job.config_name),
        config_path="" if own == str(conf_folder()) else own,
        config_dir=str(sources.get("command-line", "")),
    )


def words_of(path: Path, added: Sequence[str]) -> list[str]:
    """What a sweep was asked for by, with words that are ``added`` in the place of those of the same key.

    Changes to the folder where that was asked, if it is there still, for paths in it mean what they meant there. Raises
    InputError where ``path`` holds no sweep that can be read.
    """
    place = os.path.abspath(path)
    command = SweepFolder.open(path).command
    added = [in_full(word) for word in added]
    for word in added:
        require("=" in word, word, "should be KEY=VALUE, such as seed=3,4,5")
    keys = {parted(word)[0] for word in added}
    if os.path.isdir(command.folder):
        os.chdir(command.folder)
    if os.path.commonpath([place, os.getcwd()]) == os.getcwd():
        place = os.path.relpath(place)
    options = {
        "--config-name": command.config_name,
        "--config-path": command.config_path,
        "--config-dir": command.config_dir,
    }
    chosen = [part for option, value in options.items() if value for part in (option, value)]
    kept = [word for word in command.overrides if parted(word)[0] not in keys]
    return ["-m", *chosen, *kept, *added, override("hydra.sweep.dir", place), f"{RESUMES}=true"]
