"""Settings as they are written on the command line, and by their dotted keys."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from sdrun.errors import InputError

GROUPS = ("method", "model", "teacher_model", "dataset", "dataset/stream", "optim", "hardware", "experiment")
"""Of choices; the last is of sets of settings."""

ALIASES = {"method": "method.name", "model": "model.name", "dataset": "dataset.name", "optim": "optim.name"}
"""What a group is called where one of its members is meant."""

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, newlines of any kind, what turns the direction of writing, and halves of characters."""


def printable(text: str) -> str:
    """Text that neither moves a cursor nor hides: what does is shown as ``\\x1b``; all letters stay.

    >>> print(printable("a\\x1b[2Jb"))
    a\\x1b[2Jb
    """
    return UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def drawable(text: str) -> str:
    """Text that matplotlib draws as it is: no formula, and in a legend also if it is empty or begins with ``_``."""
    text = printable(text).replace("$", r"\$")
    return text if text and not text.startswith("_") else f" {text}"


def override(key: str, value: str) -> str:
    """``key=value`` in Hydra's grammar, whatever characters the text has: ``override("a", "b c")`` is ``a="b c"``."""
    if re.fullmatch(r"[\w./:-]+", value, re.ASCII):
        return f"{key}={value}"
    escaped = re.sub(r'(\\*)("|\Z)', lambda at: at[1] * 2 + at[2].replace('"', '\\"'), value)
    return f'{key}="{escaped}"'


def parted(word: str) -> tuple[str, str]:
    """Key and value of an override; what adds or removes a key is left out: ``+a.b=1`` is ("a.b", "1")."""
    key, _, value = word.partition("=")
    return key.lstrip("+~"), value


def listed(names: Sequence[str], most: int) -> str:
    """The first ``most`` of them, and how many more there are.

    >>> listed(["a", "b", "c", "d"], 2)
    'a, b and 2 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds: ``0:01:05``."""
    return str(timedelta(seconds=round(seconds)))


def roughly(seconds: float) -> str:
    """A time in words.

    >>> roughly(3), roughly(95), roughly(7000)
    ('5 s', '2 min', '2 h')
    """
    if seconds < 57:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{max(1, round(seconds / 60))} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def filters(words: Iterable[str], option: str) -> dict[str, str]:
    """``key=value`` words. Raises InputError for a word without a value."""
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"{option}: {word} should be KEY=VALUE, such as method=supervised")
        pairs[key] = value
    return pairs


def says(word: str, value: Any) -> bool:
    """Whether a word of the command line means this setting; numbers may be written in any way."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(word) == value
        except ValueError:
            return False
    return text(value) == word


def text(value: Any) -> str:
    """A setting as it is written on the command line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, list):
        return f"[{','.join(map(text, value))}]"
    return str(value)


def leaves(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its dotted key."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def interpolated(values: Any, key: str = "") -> str | None:
    """The dotted key of the first text that OmegaConf would resolve, or None."""
    if isinstance(values, str):
        return key if "${" in values else None
    if not isinstance(values, dict | list):
        return None
    parts = values.items() if isinstance(values, dict) else enumerate(values)
    return next(filter(None, (interpolated(part, f"{key}.{name}".lstrip(".")) for name, part in parts)), None)


def counted(num: int, noun: str) -> str:
    """A number of things, by the noun for one of them.

    >>> counted(1, "job"), counted(2000, "job")
    ('1 job', '2,000 jobs')
    """
    return f"{num:,} {noun}{'s' * (num != 1)}"
