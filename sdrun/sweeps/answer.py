"""What a sweep says at its end: what came of its runs against their baseline, or where they have none, of each."""

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
        tables.line("What came out:", console)
    else:
        for line in rendering.sentences(result):
            tables.line(line, console, "bold")
        if not any(row.baseline for row in result.rows):
            tables.show(rendering.shown(result)[0], console)
        tables.line("In full, and as a page:", console)
    for verb in ("compare", "report"):
        tables.line(f"  {printable(shlex.join(['sdrun', verb, str(folder)]))}", console)
