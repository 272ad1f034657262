"""Pictures are there to be looked at: one that cannot be drawn is a warning, and no run ends for it."""

import logging
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sdrun.errors import NO_ROOM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

Draw = Callable[[], "Figure"]
T = TypeVar("T")


def drawn(title: str, draw: Callable[[], T]) -> T | None:
    """What ``draw`` gives; None, and a warning that names the picture, where that fails."""
    try:
        return draw()
    except Exception as error:  # whatever it is, the numbers of the run are good without a picture
        _warn(title, error)
        return None


def show(title: str, draw: Draw, write: Callable[[str, "Figure"], None]) -> None:
    """Draw a picture and write it by its title. Raises OSError where the disk is full."""
    figure = drawn(title, draw)
    if figure is None:
        return
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box stands there
            write(title, figure)
    except Exception as error:  # matplotlib reads texts and fonts, and lays out, as late as here
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        _warn(title, error)


def _warn(title: str, error: Exception) -> None:
    reason = " ".join(str(error).split())[:200]
    log.warning("the picture %s is left out (%s: %s)", title, type(error).__name__, reason)
