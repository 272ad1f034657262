"""The choices of each group: YAML files of sdrun and of plugins, and what plugins register. Imports no torch."""

from pathlib import Path
from typing import Any

import yaml

from sdrun.errors import require
from sdrun.plugins import registry

TEACHER_MODEL = "teacher_model"
SAME = {TEACHER_MODEL: "model"}
"""Groups that have the choices of another."""

HERE = Path(__file__).resolve().parent


def conf_folder() -> Path:
    """The folder of YAML files: inside an installed package, beside it in a checkout."""
    inside = HERE / "conf"
    return inside if inside.is_dir() else HERE.parent / "conf"


def conf_folders() -> list[Path]:
    """Those of sdrun and of its plugins."""
    return [conf_folder(), *(plugin.conf for plugin in registry.loaded.values() if plugin.conf)]


def choices(group: str) -> list[str]:
    """Members of a group, those of plugins too, sorted. Asks files and registries alone, for Hydra takes a second."""
    group = SAME.get(group, group)
    files = {file.stem for folder in conf_folders() for file in (folder / group).glob("*.yaml")}
    return sorted({*files, *registry.registered(group)})


def file_of(group: str, name: str) -> Path:
    """The YAML file of a choice that is no plugin's function."""
    files = (folder / SAME.get(group, group) / f"{name}.yaml" for folder in conf_folders())
    return next(file for file in files if file.is_file())


def values_of(group: str, name: str, key: str) -> dict[str, Any]:
    """What the file of a choice says. Raises InputError, which names ``key``, where it builds upon others."""
    values: dict[str, Any] = yaml.safe_load(file_of(group, name).read_text(encoding="utf-8"))
    require("defaults" not in values, key, f"{name} builds upon other choices; name one of these")
    return values
