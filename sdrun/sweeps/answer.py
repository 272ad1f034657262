"""What a sweep says at its end: what came of its runs against their baseline, where they have one."""

import shlex
from pathlib import Path

from sdrun.comparison import rendering, tables
from sdrun.comparison.asked import compared
from sdrun.errors import InputError
from sdrun.settings.words import printable


def tell(folder: Path) -> None:
    """Print it, and the command that shows more."""
    console = tables.console()
    try:
        result = compared([str(folder)])
    except InputError:  # what cannot be compared is for a person to say
        lines = []
    else:
        lines = rendering.sentences(result)
    for line in lines:
        tables.line(line, console, "bold")
    tables.line("In full, and as a page:" if lines else "What came out:", console)
    for verb in ("compare", "report"):
        tables.line(f"  {printable(shlex.join(['sdrun', verb, str(folder)]))}", console)
