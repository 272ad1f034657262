"""How jobs of a sweep are called: by number, and by what tells them apart, so that folders sort and can be read."""

import re
from collections.abc import Sequence

from sdrun.settings.words import GROUPS, parted

LONGEST = 100


def names(earlier: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> list[str]:
    """Names such as ``0003-born_again-seed=2`` for new jobs by their overrides, numbered on from those that are there.

    A name has the method where a line says it, and all that is not the same in every job.
    """
    rows = [dict(parted(word) for word in line) for line in (*earlier, *new)]
    keys = dict.fromkeys(key for row in rows for key in row)
    telling = [key for key in keys if key == "method" or len({row.get(key) for row in rows}) > 1]
    named = [_name(number, {key: row[key] for key in telling if key in row}) for number, row in enumerate(rows)]
    return named[len(earlier) :]


def _name(number: int, values: dict[str, str]) -> str:
    parts = [value if key in GROUPS else f"{key.rpartition('.')[2]}={value}" for key, value in values.items()]
    text = "-".join([f"{number:04}", *(re.sub(r"[^\w.=,+-]+", "_", part, flags=re.ASCII) for part in parts)])
    return text[:LONGEST].rstrip("-._")
