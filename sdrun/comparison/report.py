"""A comparison as one page that needs nothing else: tables and pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from jinja2 import Environment, select_autoescape
from markupsafe import Markup
from scipy.special import softmax

from sdrun import __version__
from sdrun.comparison import charts
from sdrun.comparison.declared import together
from sdrun.comparison.forest import Line, forest
from sdrun.comparison.frontier import Frontier, sign
from sdrun.comparison.frontier import Points as FrontierPoints
from sdrun.comparison.logged import Points, points
from sdrun.comparison.runs import Run
from sdrun.comparison.tables import Table, html_table, titled
from sdrun.judges.metric import PERCENT, fewest, shown
from sdrun.judges.metrics import top
from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable

T = TypeVar("T")
Groups = Mapping[str, Mapping[int, Run]]
"""Runs by seed, by label."""

MOST_DRAWN = 2  # of the metrics that overviews show

LOWEST_TEMPERATURE = 1e-3
MOST_NAMED = 5
MOST_POINTS = 200
COVERAGE = np.linspace(0.02, 1.0, 50)


@dataclass
class Section:
    """A heading, and below it ``lead``, ``wide``, tables, paragraphs, pictures and commands, in this order.

    ``wide``: pictures as wide as the page.
    """

    title: str
    lead: list[str] = field(default_factory=list)
    wide: list[Markup] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)
    tables: list[Markup] = field(default_factory=list)
    pictures: list[Markup] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


def render(title: str, sections: list[Section]) -> str:
    """The page, as HTML."""
    template = (Path(__file__).parent / "report.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=select_autoescape(default=True, default_for_string=True))
    return environment.from_string(template).render(title=title, sections=sections, style=style(), version=__version__)


def style() -> Markup:
    """How all pages look."""
    return Markup((Path(__file__).parent / "page.css").read_text(encoding="utf-8"))


def section(title: str, tables: list[Table], paragraphs: list[str]) -> Section:
    return Section(title, paragraphs=paragraphs, tables=[Markup(html_table(table)) for table in tables])


def wide(rows: list[Line], title: str) -> list[Markup]:
    """The differences as one picture; none where there are none."""
    return [Markup(forest(rows, title))] if rows else []


def lines(frontier: Frontier) -> Section:
    """What is kept over what is reached, and beside it forgetting over the way from the start, where that is known."""
    kept, reached = (
        titled(name, metric) for name, metric in zip((frontier.kept, frontier.reached), frontier.metrics, strict=True)
    )
    scales = [100.0 if metric.unit == PERCENT else 1.0 for metric in reversed(frontier.metrics)]
    of_y, of_x = map(sign, frontier.metrics)
    level = scales[0] * frontier.level
    drawn = [charts.frontier(_scaled(frontier.points, *scales), reached, kept, level, (of_x, of_y))]
    if frontier.beside:
        drawn.append(
            charts.scatter(_scaled(frontier.beside, 1, 100), "KL to the start on the new task", "forgetting, %")
        )
    return Section(f"{frontier.kept} over {frontier.reached}", pictures=[Markup(picture) for picture in drawn])


def _scaled(points: FrontierPoints, of_x: float, of_y: float) -> FrontierPoints:
    return {label: [(of_x * x, of_y * y) for x, y in each] for label, each in points.items()}


def pictures(groups: Groups) -> list[Section]:
    """What can be drawn of the groups, and of which runs nothing can; a section without a picture is left out."""
    unlogged: list[str] = []
    unpredicted: list[str] = []
    declared = together(run.declared for runs in groups.values() for run in runs.values())
    names = [*(f"val/{metric.name}" for metric in shown(declared)[:MOST_DRAWN]), "train/loss"]
    logged = {label: _read_all(runs, partial(points, names=names), unlogged) for label, runs in groups.items()}
    predictions = {label: _read_all(runs, Run.predictions, unpredicted) for label, runs in groups.items()}
    predicted = {label: [(run, *arrays) for run, arrays in read] for label, read in predictions.items() if read}
    parts = {
        "While training": [_curves(logged, name) for name in names],
        "Generations, exits, ensembles": [_by_stage(groups, metric.name) for metric in fewest(declared)[:MOST_DRAWN]],
    }
    if predicted:
        parts["Reliability, all seeds together"] = [
            charts.reliability(_confidence(predicted, lambda run: 1.0), "as trained"),
            charts.reliability(_confidence(predicted, _temperature), "with the temperature fitted on validation"),
        ]
        parts["Selective prediction"] = [_risk_coverage(predicted)]
    whole = {title: [Markup(picture) for picture in drawn if picture] for title, drawn in parts.items()}
    sections = [Section(title, pictures=drawn) for title, drawn in whole.items() if drawn]
    left_out = [*_named(unlogged, "the curves of training"), *_named(unpredicted, "reliability, selective prediction")]
    return [*sections, Section("Left out of the pictures", paragraphs=left_out)] if left_out else sections


def _read_all(runs: Mapping[int, Run], read: Callable[[Run], T], unreadable: list[str]) -> list[tuple[Run, T]]:
    """What can be read of each; reasons go to ``unreadable``."""
    contents = []
    for run in runs.values():
        try:
            whole = read(run)
        except Unreadable as error:
            unreadable.append(printable(f"{run.path}: {error}"))
            continue
        contents.append((run, whole))
    return contents


def _named(reasons: list[str], picture: str) -> list[str]:
    """Say of which runs, and why, a picture shows nothing."""
    num = len(reasons)
    lines = [f"{picture}: {reason}" for reason in reasons[:MOST_NAMED]]
    return [*lines, f"{picture}: {num - MOST_NAMED:,} more runs"] if num > MOST_NAMED else lines


def _curves(logged: Mapping[str, list[tuple[Run, Points]]], name: str) -> str:
    lines = {}
    for label, runs in logged.items():
        series = [logs[name] for _, logs in runs if logs[name]]
        steps = sorted(set.intersection(*(set(values) for values in series))) if series else []
        if len(steps) > 1:
            steps = steps[:: -(-len(steps) // MOST_POINTS)]
            lines[label] = (np.array(steps), np.array([[values[step] for step in steps] for values in series]))
    return charts.curves(lines, "step", name) if lines else ""


def _by_stage(groups: Groups, metric: str) -> str:
    """Of groups with several stages, or with exits; of runs that are seen at several stages, once."""
    lines = {}
    drawn = set[tuple[Path, ...]]()
    for label, runs in groups.items():
        example, paths = next(iter(runs.values())), tuple(run.path for run in runs.values())
        if paths in drawn:
            continue
        drawn.add(paths)
        exits = [
            key
            for key in example.summary.get("metrics", {})
            if key.startswith("test/exit_") and key.endswith(f"/{metric}")
        ]
        if exits:
            names = {key: key.split("/")[1] for key in exits} | {f"test/{metric}": "deepest exit"}
        else:
            stages = [name for name in example.stages if example.metric(f"{name}:test/{metric}") is not None]
            names = {f"{stage}:test/{metric}": stage for stage in stages}
        values = [[run.metric(key) for key in names] for run in runs.values()]
        whole = [row for row in values if None not in row]
        if len(names) > 1 and whole:
            lines[example.title if example.stage else label] = (list(names.values()), np.array(whole, dtype=float))
    return charts.by_stage(lines, f"test/{metric}") if lines else ""


Predicted = list[tuple[Run, np.ndarray, np.ndarray]]
"""Runs with their test logits [N, K] and labels [N]."""


def _temperature(run: Run) -> float:
    return max(run.metric("val/temperature") or 1.0, LOWEST_TEMPERATURE)


def _confidence(
    predicted: Mapping[str, Predicted], temperature: Callable[[Run], float]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    confidences = {}
    for label, runs in predicted.items():
        pairs = [
            top(softmax(logits.astype(np.float64) / temperature(run), axis=1), labels) for run, logits, labels in runs
        ]
        confidences[label] = (np.concatenate([c for c, _ in pairs]), np.concatenate([right for _, right in pairs]))
    return confidences


def _risk_coverage(predicted: Mapping[str, Predicted]) -> str:
    lines = {}
    for label, runs in predicted.items():
        risks = []
        for _, logits, labels in runs:
            confidence, correct = top(softmax(logits.astype(np.float64), axis=1), labels)
            wrong = 1.0 - correct[np.argsort(-confidence, kind="stable")]
            kept = np.maximum(1, np.round(COVERAGE * len(wrong)).astype(int))
            risks.append(100 * np.cumsum(wrong)[kept - 1] / kept)
        lines[label] = (100 * COVERAGE, np.array(risks))
    return charts.curves(lines, "coverage, %", "error of the most confident, %")
