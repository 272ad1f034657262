"""Runs that differ in their seed alone are a group; groups are told apart by the settings in which they differ."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrun.comparison.runs import Run, Unreadable, read
from sdrun.settings.words import text

IGNORED = (
    "seed",
    "log_every",
    "checkpoint_seconds",
    "dataset.root",
    "dataset.download",
    "hardware.name",
    "hardware.threads",
    "model.name",
    "init_from",
)
"""Settings that say nothing of what a run measures, or that ``_identity`` says in another way."""

BUDGET = ("model.", "optim.epochs", "optim.max_steps", "optim.batch_size", "dataset.")
"""Settings by which runs cannot be compared unless they are what is compared; ends with a dot: all of a group."""

FREE = ("dataset.views.", "dataset.test_view", "dataset.seed")


@dataclass(frozen=True)
class Group:
    """``runs`` by seed; ``settings``: those that they share."""

    label: str
    settings: dict[str, Any]
    runs: dict[int, Run]

    @property
    def example(self) -> Run:
        return next(iter(self.runs.values()))

    def values(self, metric: str) -> dict[int, float]:
        """By seed, of those runs that have the metric as a finite number."""
        found = {seed: run.metric(metric) for seed, run in self.runs.items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def lacking(self, metric: str) -> int:
        """Runs that have no such number."""
        return len(self.runs) - len(self.values(metric))


def grouped(runs: list[Run]) -> tuple[list[Group], list[tuple[Path, str]]]:
    """Groups in the order of their first run, and runs that a later one of the same settings and seed replaces."""
    members: dict[frozenset, dict[int, Run]] = {}
    shared: dict[frozenset, dict[str, Any]] = {}
    replaced = []
    for run in sorted(runs, key=lambda run: str(run.manifest.get("created", ""))):
        settings = _identity(run)
        key = frozenset((name, text(value)) for name, value in settings.items() if value is not None)
        shared[key] = settings
        others = members.setdefault(key, {})
        if run.seed in others:
            replaced.append((others[run.seed].path, f"{run.path} has the same settings and seed, and is newer"))
        others[run.seed] = run
    labels = _labels(list(shared.values()))
    groups = [
        Group(label, shared[key], dict(sorted(members[key].items())))
        for key, label in zip(members, labels, strict=True)
    ]
    return groups, replaced


def differing(left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """Keys in which two groups' settings differ."""
    return sorted(key for key in left.keys() | right.keys() if text(left.get(key)) != text(right.get(key)))


def of_budget(keys: list[str]) -> list[str]:
    """Those keys that keep two methods from being compared."""
    return [key for key in keys if _is_in(key, BUDGET) and not _is_in(key, FREE)]


def of_method(keys: list[str]) -> list[str]:
    """Those that are the method's: its group, and what it has at the root, such as ``generations``."""
    return [key for key in keys if key.startswith("method.") or "." not in key]


def _is_in(key: str, places: tuple[str, ...]) -> bool:
    return any(key.startswith(place) if place.endswith(".") else key == place for place in places)


def _identity(run: Run) -> dict[str, Any]:
    """The settings that make a run's group."""
    settings = {key: value for key, value in run.settings.items() if key not in IGNORED}
    if run.settings.get("dataset.seed") == run.settings.get("seed"):
        settings.pop("dataset.seed", None)
    settings["init"] = _initial(run.settings.get("init_from"))
    return settings


def _initial(path: str | None) -> str | None:
    """What a run started from: the method of that run and those of its settings that are not of its seed."""
    if path is None:
        return None
    try:
        source = read(Path(path))
        own = _identity(source)
    except Unreadable:
        return path
    from hashlib import sha256

    digest = sha256(repr(sorted((key, text(value)) for key, value in own.items())).encode()).hexdigest()
    return f"{source.manifest['method']}-{digest[:6]}"


def _labels(groups: list[dict[str, Any]]) -> list[str]:
    """A name for each: its method, and the values of as few other keys as tell all of them apart."""
    alike = [list(range(len(groups)))]
    chosen: list[str] = []
    keys = {"method.name": None} | dict.fromkeys(key for group in groups for key in differing(groups[0], group))

    def split(sets: list[list[int]], key: str) -> list[list[int]]:
        found: dict[tuple[int, str], list[int]] = {}
        for place, members in enumerate(sets):
            for member in members:
                found.setdefault((place, text(groups[member].get(key))), []).append(member)
        return list(found.values())

    while len(alike) < len(groups):
        best = "method.name" if not chosen else max(keys, key=lambda key: (len(split(alike, key)), -len(key)))
        chosen.append(best)
        if chosen.count(best) > 1:  # what differs is written alike
            break
        alike = split(alike, best)
    others = [key for key in chosen if key != "method.name"]
    return [
        " ".join(
            [text(group.get("method.name")), *(f"{_short(key)}={text(group[key])}" for key in others if key in group)]
        )
        for group in groups
    ]


def _short(key: str) -> str:
    return key.removeprefix("method.")
