"""What methods keep of one thing where they reach as much of another: a line each, over the rates and lengths tried."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sdrun.comparison.differences import cell
from sdrun.comparison.groups import Group, key_of, labels
from sdrun.comparison.runs import Run
from sdrun.comparison.tables import number
from sdrun.errors import InputError
from sdrun.judges.metric import Better, Declared, Metric, lookup
from sdrun.settings.words import counted, printable

TRIED = "optim."
"""Settings that a line runs over."""

BESIDE = ("start_kl", "forgetting")
"""Metrics of which the second is drawn over the first, where runs have both: how far a network went, what that cost."""

Points = Mapping[str, list[tuple[float, float]]]
"""Means over seeds of two metrics, of each of the settings that were tried, by the label of a line."""


@dataclass(frozen=True)
class Axes:
    """What is asked for: metrics of what is ``kept`` and of what is ``reached``, and the ``level`` of the second.

    ``level``: None for the most that every line reaches in each seed.
    """

    kept: str
    reached: str
    level: float | None = None


@dataclass(frozen=True)
class Frontier:
    """``kept`` over ``reached``: names of metrics, what they mean, and the ``level`` of the second that is asked for.

    ``beside``: two more, nothing where no run has them.
    """

    kept: str
    reached: str
    metrics: tuple[Metric, Metric]
    level: float
    points: Points
    beside: Points

    def told(self) -> str:
        """The level, for people."""
        unit = f" {self.metrics[1].unit}" if self.metrics[1].unit else ""
        return f"{number(self.metrics[1], self.level)}{unit}"


def matched(groups: list[Group], axes: Axes, declared: Declared) -> tuple[list[Group], Frontier, list[str]]:
    """A group for each line, of each seed's run that keeps most where the level is reached, and what to know of it.

    Runs are chosen by their validation split where all have both metrics there. Raises InputError where none reaches
    the level.
    """
    names = axes.kept, axes.reached
    metrics = lookup(axes.kept, declared), lookup(axes.reached, declared)
    every = [run for group in groups for run in group.runs.values()]

    def has_both(run: Run) -> bool:
        return all(run.metric(name) is not None for name in names)

    runs = [run for run in every if has_both(run)]
    if not runs:
        lacking = next((name for name in names if all(run.metric(name) is None for run in every)), " ".join(names))
        raise InputError(f"--frontier {lacking}: no run has it; see: sdrun show RUN")
    by = tuple(_of_validation(name) for name in names)
    if not all(run.metric(name) is not None for run in runs for name in by):
        by = names
    having = [replace(group, runs={seed: run for seed, run in group.runs.items() if has_both(run)}) for group in groups]
    lines = _lines([group for group in having if group.runs])
    kept, reached = (_height(name, metric) for name, metric in zip(by, metrics, strict=True))
    seeds = {label: _seeds(line) for label, line in lines.items()}
    if axes.level is None:
        least = min(max(map(reached, tried)) for of in seeds.values() for tried in of.values())
    else:
        least = sign(metrics[1]) * axes.level
    level = sign(metrics[1]) * least

    chosen, notes = [], list[str]()
    if len(runs) < len(every):
        notes.append(f"left out, for they have not both metrics: {counted(len(every) - len(runs), 'run')}")
    for label, of in seeds.items():
        best = {
            seed: max(enough, key=kept)
            for seed, tried in of.items()
            if (enough := [run for run in tried if reached(run) >= least])
        }
        if len(best) < len(of):
            notes.append(f"{label}: {counted(len(of) - len(best), 'seed')} of {len(of)} reach the level at no setting")
        if best:
            chosen.append(Group(label, _without_tried(lines[label][0]), best))
    beside = _points(lines, *_beside(axes.kept))
    frontier = Frontier(*names, metrics, level, _points(lines, axes.reached, axes.kept), beside)
    if not chosen:
        raise InputError(f"--at {level:g}: no run reaches that of {by[1]}; lower it")
    where = "on validation" if by != names else "on the same items that are told, for not all runs have validation"
    most = f"of each seed the run that keeps most of {by[0]} where {by[1]} is at least {frontier.told()}"
    return chosen, frontier, [printable(f"{most}, chosen {where}"), *map(printable, notes)]


def _lines(groups: list[Group]) -> dict[str, list[Group]]:
    """Groups that differ in what was tried alone, by a label."""
    members: dict[frozenset, list[Group]] = {}
    for group in groups:
        members.setdefault(key_of(_without_tried(group)), []).append(group)
    settings = [_without_tried(line[0]) for line in members.values()]
    titles = [line[0].example.title for line in members.values()]
    return dict(zip(labels(settings, titles), members.values(), strict=True))


def _without_tried(group: Group) -> dict[str, Any]:
    return {key: value for key, value in group.settings.items() if not key.startswith(TRIED)}


def _seeds(line: list[Group]) -> dict[int, list[Run]]:
    """All runs by seed."""
    runs: dict[int, list[Run]] = {}
    for group in line:
        for seed, run in group.runs.items():
            runs.setdefault(seed, []).append(run)
    return dict(sorted(runs.items()))


def _of_validation(name: str) -> str:
    return f"val/{name.removeprefix('test/')}" if name.startswith("test/") else name


def sign(metric: Metric) -> int:
    """-1 where less of a metric is better, else 1."""
    return -1 if metric.better is Better.lower else 1


def _height(name: str, metric: Metric) -> Callable[[Run], float]:
    """A metric of a run, the larger the better."""

    def height(run: Run) -> float:
        value = run.metric(name)
        return float("-inf") if value is None else sign(metric) * value

    return height


def _beside(kept: str) -> tuple[str, str]:
    part = kept.partition("/")[0]
    return f"{part}/new/{BESIDE[0]}", f"{part}/{BESIDE[1]}"


def _points(lines: Mapping[str, list[Group]], x: str, y: str) -> Points:
    points = {
        label: [
            (of_x.mean, of_y.mean)
            for group in line
            if (of_x := cell(group.values(x))) and (of_y := cell(group.values(y)))
        ]
        for label, line in lines.items()
    }
    return {label: told for label, told in points.items() if told}
