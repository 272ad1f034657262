"""YAML that came from elsewhere, as what it says and nothing more. Imports no torch."""

from pathlib import Path
from typing import Any

import yaml

from sdrun.errors import InputError

try:
    from yaml import CSafeLoader as Loader  # ten times as fast
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

MOST_BYTES = 1_000_000
MOST_LEVELS = 20


def load(path: Path) -> dict[str, Any]:
    """The mapping in the file. Raises InputError for whatever is more than names, numbers, texts and lists.

    Aliases may stand for more than memory holds, tags for objects, and ``${...}`` for what this machine has.
    """
    try:
        if not path.is_file():
            raise ValueError("it is no file" if path.exists() else "it is not there")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        text = data.decode()
        _require_plain(text)
        values = yaml.load(text, Loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read ({reason}); start the run anew") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no settings by name; start the run anew")
    if key := interpolated(values):
        raise InputError(f"{path}: {key} holds ${{...}}, and settings of a run are resolved; write its value")
    return values


def interpolated(values: Any, key: str = "") -> str | None:
    """The dotted key of the first text that OmegaConf would resolve, or None."""
    if isinstance(values, str):
        return key if "${" in values else None
    if not isinstance(values, dict | list):
        return None
    parts = values.items() if isinstance(values, dict) else enumerate(values)
    return next(filter(None, (interpolated(part, f"{key}.{name}".lstrip(".")) for name, part in parts)), None)


def _require_plain(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader):
        line = event.start_mark.line + 1  # type: ignore[union-attr]
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"line {line} has an alias")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            raise ValueError(f"line {line} has a tag")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise ValueError(f"line {line} is nested more than {MOST_LEVELS} deep")
