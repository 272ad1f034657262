"""Where a run's code came from. Imports no torch."""

import platform
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sdrun import __version__

PACKAGES = (
    "torch",
    "torchvision",
    "hydra-core",
    "omegaconf",
    "numpy",
    "scipy",
    "scikit-learn",
    "pillow",
    "tensorboard",
)
FURTHER = ("timm",)
"""Packages that need not be there."""


@cache
def versions() -> dict[str, str]:
    """Versions of sdrun, Python and the packages that numbers depend on."""
    own = {"sdrun": __version__, "python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    for name in FURTHER:
        with suppress(PackageNotFoundError):
            own[name] = version(name)
    return own


def git_state() -> dict[str, Any] | None:
    """Commit of the current folder's repository and whether files differ from it; None outside of one."""
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": _git("status", "--porcelain") != ""} if commit else None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
