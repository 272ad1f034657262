"""sdrun: an experiment runner for self-distillation.

For scripts: ``load``, a trained network. For plugins, such as ``sdrun --plugin my_lab.py``, the decorators ``method``,
``model`` and ``dataset``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sdrun.trained import Trained

__version__ = "0.1.0"

Function = TypeVar("Function", bound=Callable[..., object])


def load(run: str | Path, device: str = "cpu", plugins: Sequence[str | Path] = ()) -> "Trained":
    """The network of a finished run, with its clean view, classes and temperature; see ``sdrun.trained``.

    ``plugins``: files, folders or modules that the run needs, beside those that are installed.
    """
    from sdrun import trained
    from sdrun.plugins import loading

    loading.load_all(map(str, plugins))
    return trained.load(run, device)


def method(name: str) -> Callable[[Function], Function]:
    """Register a recipe; see ``sdrun.plugins.decorators``."""
    from sdrun.plugins import decorators

    return decorators.method(name)


def model(name: str, *, takes: str = "images", taps: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Register a function that makes a network; see ``sdrun.plugins.decorators``."""
    from sdrun.plugins import decorators

    return decorators.model(name, takes=takes, taps=taps)


def dataset(name: str, *, task: str = "images") -> Callable[[Function], Function]:
    """Register a function that gives datasets; see ``sdrun.plugins.decorators``."""
    from sdrun.plugins import decorators

    return decorators.dataset(name, task=task)
