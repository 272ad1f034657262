"""In a sweep over methods, a setting that only some of them have reaches the jobs of these."""

from collections.abc import Iterable

from sdrun.compositions import Compositions
from sdrun.keys import method_keys
from sdrun.settings.words import parted

METHOD = "method"

Lines = list[list[str]]
"""Overrides of each job."""


def reaching(lines: Lines, compositions: Compositions) -> tuple[Lines, list[str]]:
    """The lines without what the job's method has no place for, each once; and a sentence for each such setting.

    What no method of the sweep has stays, so that it is refused. Raises what Hydra raises of an unknown choice.
    """
    first = {_choice(line): line for line in reversed(lines)}
    if len(first) < 2:
        return lines, []
    keys = {choice: method_keys(compositions.method(line)) for choice, line in reversed(first.items())}
    values: dict[str, list[str]] = {}
    for key, value in map(parted, dict.fromkeys(word for line in lines for word in line)):
        values.setdefault(key, []).append(value)
    having = {key: [choice for choice, own in keys.items() if key in own] for key in values}
    partly = {key: some for key, some in having.items() if some and len(some) < len(keys)}
    kept = [tuple(w for w in line if _choice(line) in partly.get(parted(w)[0], keys)) for line in lines]
    notes = []
    for key, some in partly.items():
        others = [choice for choice in keys if choice not in some]
        have = "has" if len(others) == 1 else "have"
        notes.append(f"{key}={','.join(values[key])} applies to {_and(some)}; {_and(others)} {have} none")
    return [list(line) for line in dict.fromkeys(kept)], notes


def _choice(line: Iterable[str]) -> str:
    """The method that a line names, or nothing where it is that of all lines."""
    return next((value for key, value in map(parted, line) if key == METHOD), "")


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
