"""Runs that differ in their seed alone are a group; groups are told apart by the settings in which they differ."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sdrun.choices import TEACHER_MODEL
from sdrun.comparison.runs import Run, read
from sdrun.settings.words import printable, says, text
from sdrun.storage.documents import Unreadable

IGNORED = (
    "seed",
    "log_every",
    "checkpoint_seconds",
    "pictures",
    "dataset.root",
    "dataset.stream.roots",
    "dataset.labels",
    "dataset.test_root",
    "dataset.test_file",
    "dataset.download",
    "dataset.cache",
    "dataset.cache_limit",
    "dataset.workers",
    "dataset.task",
    "hardware.name",
    "hardware.threads",
    "model.name",
    "init_from",
    "teacher_from",
)
"""Settings that say nothing of what a run measures, or that ``_identities`` says in another way."""

SOURCES = {"init_from": "init", "teacher_from": "teachers"}
"""Settings that name other runs, and what an identity has in the place of each: what these runs are but for seeds."""

BUDGET = ("model.", "optim.epochs", "optim.max_steps", "optim.batch_size", "dataset.")
"""Settings by which runs cannot be compared unless they are what is compared; ends with a dot: all of a group."""

LONGEST_CHAIN = 8
"""Of runs of which each starts from the next; a circle of them ends there."""

DATA_SEED = "dataset.seed"
FREE = ("dataset.views.", "dataset.test_view", DATA_SEED)
SAID = f"{DATA_SEED}="
STAGE = "stage"
"""A setting of runs that are seen at one of several places."""

NAMED = ("method.name", "method.preset", STAGE)
"""What the name of a group says already."""

FOLLOWS = "seed"
"""What ``dataset.seed`` is called where it is each run's seed, beside groups where it stays the same."""


@dataclass(frozen=True)
class Group:
    """``runs`` by seed; ``settings``: those that they share. The label can be printed as it is."""

    label: str
    settings: dict[str, Any]
    runs: dict[int, Run]

    @property
    def example(self) -> Run:
        return next(iter(self.runs.values()))

    def values(self, metric: str) -> dict[int, float]:
        """By seed, of those runs that have the metric as a finite number."""
        return {seed: value for seed, run in self.runs.items() if (value := run.metric(metric)) is not None}

    def matches(self, filters: dict[str, str]) -> bool:
        """Whether the runs have these settings; ``dataset.seed=seed``: one that follows the seed."""
        own = {key: value for key, value in filters.items() if key == DATA_SEED and key in self.settings}
        others = {key: value for key, value in filters.items() if key not in own}
        return all(says(value, self.settings[key]) for key, value in own.items()) and self.example.matches(others)

    def lacking(self, metric: str) -> int:
        """Runs that have no such number."""
        return len(self.runs) - len(self.values(metric))


def is_alone(runs: list[Run]) -> bool:
    """Whether runs are of one group, so that their stages are all there is to compare."""
    return len(grouped(runs)[0]) == 1


def grouped(runs: list[Run]) -> tuple[list[Group], list[tuple[Path, str]]]:
    """Groups in the order of their first run, and runs that a later one of the same settings and seed replaces."""
    members: dict[frozenset, dict[int, Run]] = {}
    shared: dict[frozenset, dict[str, Any]] = {}
    replaced = []
    runs = sorted(runs, key=lambda run: run.manifest.get("created", ""))
    for run, settings in zip(runs, _identities(runs), strict=True):
        key = key_of(settings)
        shared[key] = settings
        others = members.setdefault(key, {})
        if run.seed in others:
            replaced.append((others[run.seed].path, f"{run.path} has the same settings and seed, and is newer"))
        others[run.seed] = run
    examples = [next(iter(members[key].values())) for key in members]
    told = labels(list(shared.values()), _names(examples))
    groups = [
        Group(label, shared[key], dict(sorted(members[key].items()))) for key, label in zip(members, told, strict=True)
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
    return [key for key in keys if key.startswith(("method.", f"{TEACHER_MODEL}.")) or "." not in key]


def _is_in(key: str, places: tuple[str, ...]) -> bool:
    return any(key.startswith(place) if place.endswith(".") else key == place for place in places)


def _identities(runs: list[Run], links: int = LONGEST_CHAIN) -> list[dict[str, Any]]:
    """The settings that make each run's group. ``links``: how far it is looked where runs start from others."""
    paths = dict.fromkeys(path for run in runs for key in SOURCES for path in _paths(run, key))
    sources = dict(_readable(paths if links else ()))
    origins = dict(zip(sources, _identities([*sources.values()], links - 1), strict=True)) if sources else {}
    identities = [_own(run) for run in runs]
    for run, settings in zip(runs, identities, strict=True):
        for key, name in SOURCES.items():
            of = [_origin(sources[path], origins[path]) if path in sources else path for path in _paths(run, key)]
            settings[name] = " ".join(of) or None
    _tell_data_seeds(runs, identities)
    return identities


def _own(run: Run) -> dict[str, Any]:
    """Its settings that say what it measures; also the name of a model that is recorded as LIBRARY/NAME."""
    kept = ("model.name",) if "/" in text(run.manifest.get("model")) else ()
    return {key: value for key, value in run.settings.items() if key not in IGNORED or key in kept}


def _paths(run: Run, key: str) -> list[str]:
    """The folders of other runs that a setting names."""
    value = run.settings.get(key)
    return list(map(text, value if isinstance(value, list) else [] if value is None else [value]))


def _readable(paths: Iterable[str]) -> Iterator[tuple[str, Run]]:
    for path in paths:
        with suppress(Unreadable):
            yield path, read(Path(path))


def _origin(source: Run, settings: dict[str, Any]) -> str:
    """What a run started from: the method of that run and those of its settings that are not of its seed."""
    digest = sha256(repr(sorted((key, text(value)) for key, value in settings.items())).encode()).hexdigest()
    return f"{source.manifest['method']}-{digest[:6]}"


def _tell_data_seeds(runs: list[Run], identities: list[dict[str, Any]]) -> None:
    """Take the seed of the data from the identity of runs where it is only their seed's.

    Where it equals a run's seed, that run is one of those whose data stay the same if its command says so, or if it
    would be alone beside them.
    """
    alike: dict[frozenset, list[tuple[Run, dict[str, Any]]]] = {}
    for run, settings in zip(runs, identities, strict=True):
        alike.setdefault(key_of(settings, DATA_SEED), []).append((run, settings))
    for members in alike.values():
        following = [(run, settings) for run, settings in members if _follows(run)]
        fixed = {text(run.settings[DATA_SEED]) for run, _ in members if not _follows(run) and DATA_SEED in run.settings}
        seeds = {text(run.seed) for run, _ in following}
        if len(seeds) == 1 and seeds <= fixed:
            continue
        for _, settings in following:
            if fixed:
                settings[DATA_SEED] = FOLLOWS
            else:
                del settings[DATA_SEED]


def _follows(run: Run) -> bool:
    said = [word.partition("=")[2] for word in run.manifest.get("overrides", []) if word.lstrip("+").startswith(SAID)]
    return run.settings.get(DATA_SEED) == run.seed and not (said and says(said[-1], run.seed))


def key_of(settings: dict[str, Any], *without: str) -> frozenset:
    return frozenset((key, text(value)) for key, value in settings.items() if value is not None and key not in without)


def _names(runs: list[Run]) -> list[str]:
    """Of each run's method, and the place in it that it is seen at: the place alone where all have the same method."""
    places = [run.settings.get(STAGE) for run in runs]
    if None not in places and len({run.title for run in runs}) == 1:
        return [text(place) for place in places]
    return [run.title if place is None else f"{run.title}:{place}" for run, place in zip(runs, places, strict=True)]


def labels(groups: list[dict[str, Any]], names: list[str]) -> list[str]:
    """Its name for each, and the values of as few keys as tell all of them apart: those that say most, then short."""
    keys = list(dict.fromkeys(key for group in groups for key in differing(groups[0], group) if key not in NAMED))
    alike, chosen = _split([list(range(len(groups)))], names), list[str]()
    while len(alike) < len(groups) and keys:
        parts = {key: _split(alike, [text(group.get(key)) for group in groups]) for key in keys}
        best = max(keys, key=lambda key: (len(parts[key]), not _is_switch(key, groups), -len(key)))
        if best in chosen:  # what differs is written alike
            break
        chosen.append(best)
        alike = parts[best]

    def label(name: str, group: dict[str, Any]) -> str:
        values = [f"{key.removeprefix('method.')}={text(group[key])}" for key in chosen if key in group]
        return printable(" ".join([name, *values]))

    return [label(name, group) for name, group in zip(names, groups, strict=True)]


def _is_switch(key: str, groups: list[dict[str, Any]]) -> bool:
    return all(isinstance(group.get(key), bool | None) for group in groups)


def _split(sets: list[list[int]], values: list[str]) -> list[list[int]]:
    """Sets of places, each parted by the values at these."""
    parts: dict[tuple[int, str], list[int]] = {}
    for number, members in enumerate(sets):
        for member in members:
            parts.setdefault((number, values[member]), []).append(member)
    return list(parts.values())
