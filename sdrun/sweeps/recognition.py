"""Whether a run that is there is the one that is asked for: by its settings, among which keys may come and go."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sdrun.comparison.runs import Run
from sdrun.errors import InputError
from sdrun.settings.words import printable, text
from sdrun.storage.manifest import FORMAT

FREE = ("dataset.root", "dataset.download", "checkpoint_seconds", "log_every", "pictures")
"""Settings that change nothing of what a run measures; so are those of the hardware."""

AUTO = "auto"

NULL_NOW = ("method.threshold", "method.threshold_momentum", "method.exit_ce", "method.exit_policy.tolerance")
"""Settings of which runs before format 3 have the number that null stands for now, or one that had no effect."""

FOLDERS = ("init_from", "teacher_from")
"""Settings that name other runs."""

MOST_NAMED = 3


def require_same(run: Run, asked: dict[str, Any], defaults: Callable[[], dict[str, Any]]) -> None:
    """Raise InputError, which names what differs, unless a run was made with the settings that are ``asked``.

    All are resolved, by their dotted keys. What a run has no word of did not exist then, and must have its default;
    what exists no more is passed over.
    """
    if run.manifest.get("format", FORMAT) < FORMAT:
        asked = {key: value for key, value in asked.items() if value is not None or key not in NULL_NOW}
    differences = list(_differences(run.settings, asked, defaults))
    if differences:
        more = [f"and {len(differences) - MOST_NAMED} more"] if len(differences) > MOST_NAMED else []
        raise InputError(
            printable(
                f"{run.path}: was run with other settings: {', '.join([*differences[:MOST_NAMED], *more])}; "
                "move it away, or the whole sweep"
            )
        )


def _differences(
    recorded: dict[str, Any], asked: dict[str, Any], defaults: Callable[[], dict[str, Any]]
) -> Iterator[str]:
    counting = {key: value for key, value in asked.items() if key not in FREE and not key.startswith("hardware.")}
    usual = defaults() if counting.keys() - recorded.keys() else {}
    for key, value in counting.items():
        if key not in recorded:
            if text(value) != text(usual.get(key)):
                yield f"{key} is {text(value)} now, of which it says nothing"
        elif value != AUTO and _written(key, recorded[key]) != _written(key, value):
            yield f"{key} was {text(recorded[key])} and is {text(value)} now"


def _written(key: str, value: Any) -> str:
    """A setting as text; of runs that others start or learn from the arm and seed, for claims move between folders."""
    if key not in FOLDERS:
        return text(value)
    return " ".join("/".join(Path(text(one)).parts[-2:]) for one in (value if isinstance(value, list) else [value]))
