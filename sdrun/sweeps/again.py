"""The command that goes on with a sweep. Imports no torch."""

import os
from collections.abc import Sequence
from pathlib import Path

from sdrun.errors import require
from sdrun.settings.words import override
from sdrun.storage.sweeps import SweepFolder

RESUMES = "hydra.sweeper.resumes"


def words_of(path: Path, added: Sequence[str]) -> list[str]:
    """What a sweep was asked for by, with words that are ``added`` in the place of those of the same key.

    Changes to the folder where that was asked, if it is there still, for paths in it mean what they meant there. Raises
    InputError where ``path`` holds no sweep that can be read.
    """
    place = os.path.abspath(path)
    command = SweepFolder.open(path).command
    for word in added:
        require("=" in word, word, "should be KEY=VALUE, such as seed=3,4,5")
    keys = {_key(word) for word in added}
    if os.path.isdir(command.folder):
        os.chdir(command.folder)
    if os.path.commonpath([place, os.getcwd()]) == os.getcwd():
        place = os.path.relpath(place)
    options = {
        "--config-name": command.config_name,
        "--config-path": command.config_path,
        "--config-dir": command.config_dir,
    }
    given = [part for option, value in options.items() if value for part in (option, value)]
    kept = [word for word in command.overrides if _key(word) not in keys]
    return ["-m", *given, *kept, *added, override("hydra.sweep.dir", place), f"++{RESUMES}=true"]


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")
