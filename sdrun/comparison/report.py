"""A comparison as one page that needs nothing else: tables, pictures, settings, and the commands that made the runs."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, select_autoescape
from markupsafe import Markup
from scipy.special import softmax

from sdrun import __version__
from sdrun.comparison import charts
from sdrun.comparison.groups import IGNORED, differing
from sdrun.comparison.runs import Run
from sdrun.comparison.tables import Table, html_table
from sdrun.evaluation.metrics import top
from sdrun.settings.words import text

Groups = Mapping[str, Mapping[int, Run]]
"""Runs by seed, by label."""

MOST_POINTS = 200
COVERAGE = np.linspace(0.02, 1.0, 50)


@dataclass
class Section:
    """A heading, and below it ``lead``, tables, paragraphs, pictures and commands, in this order."""

    title: str
    lead: list[str] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)
    tables: list[Markup] = field(default_factory=list)
    pictures: list[Markup] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


def render(title: str, sections: list[Section]) -> str:
    """The page, as HTML."""
    template = (Path(__file__).parent / "report.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=select_autoescape(default=True, default_for_string=True))
    return environment.from_string(template).render(title=title, sections=sections, version=__version__)


def section(title: str, tables: list[Table], paragraphs: list[str]) -> Section:
    return Section(title, paragraphs=paragraphs, tables=[Markup(html_table(table)) for table in tables])


def pictures(groups: Groups) -> list[Section]:
    """What can be drawn of the groups; a section without a picture is left out."""
    parts = {
        "While training": [_curves(groups, "val/accuracy"), _curves(groups, "val/nll"), _curves(groups, "train/loss")],
        "Generations, exits, ensembles": [_by_stage(groups, "accuracy"), _by_stage(groups, "nll_calibrated")],
    }
    predicted = {label: found for label, runs in groups.items() if (found := _predictions(runs))}
    if predicted:
        parts["Reliability, all seeds together"] = [
            charts.reliability(_confidence(predicted, lambda run: 1.0), "as trained"),
            charts.reliability(_confidence(predicted, _temperature), "with the temperature fitted on validation"),
        ]
        parts["Selective prediction"] = [_risk_coverage(predicted)]
    shown = {title: [Markup(picture) for picture in drawn if picture] for title, drawn in parts.items()}
    return [Section(title, pictures=drawn) for title, drawn in shown.items() if drawn]


def settings(groups: Groups) -> Section:
    """The settings in which the groups differ."""
    examples = {label: next(iter(runs.values())).settings for label, runs in groups.items()}
    first = next(iter(examples.values()))
    keys = dict.fromkeys(key for other in examples.values() for key in differing(first, other) if key not in IGNORED)
    table = Table("", ["setting", *examples], left=("setting", *examples))
    for key in sorted(set(keys) - {"dataset.seed"}):
        table.rows.append([key, *(text(own[key]) if key in own else "" for own in examples.values())])
    return section("Settings that differ", [table], [] if table.rows else ["None."])


def commands(groups: Groups) -> Section:
    """What makes these runs again, a command a group where only the seeds differ."""
    found: dict[str, None] = {}
    for runs in groups.values():
        lines: dict[str, list[int]] = {}
        for seed, run in runs.items():
            words = [word for word in map(str, run.manifest.get("overrides", [])) if not word.startswith("seed=")]
            lines.setdefault(shlex.join(words), []).append(seed)
        for line, seeds in lines.items():
            sweep = "-m " if len(seeds) > 1 else ""
            found[f"sdrun {sweep}{line} seed={','.join(map(str, seeds))}".replace("  ", " ")] = None
    example = next(iter(next(iter(groups.values())).values()))
    made = example.manifest.get("versions") or {}
    commit = (example.manifest.get("git") or {}).get("commit", "")
    by = [f"{name} {made[name]}" for name in ("sdrun", "python", "torch") if name in made]
    made_by = f"Run with {', '.join(by)}" + (f", commit {commit[:10]}." if commit else ".")
    return Section("Make it again", paragraphs=[made_by], commands=list(found))


# Pictures -----------------------------------------------------------------------------------------------------------


def _curves(groups: Groups, name: str) -> str:
    lines = {}
    for label, runs in groups.items():
        found = [points for run in runs.values() if (points := _points(run, name))]
        steps = sorted(set.intersection(*(set(points) for points in found))) if found else []
        if len(steps) > 1:
            steps = steps[:: -(-len(steps) // MOST_POINTS)]
            lines[label] = (np.array(steps), np.array([[points[step] for step in steps] for points in found]))
    return charts.curves(lines, "step", name) if lines else ""


def _points(run: Run, name: str) -> dict[int, float]:
    """Values by step, of the stage that gave the run's metrics."""
    found: dict[int, float] = {}
    try:
        lines = (run.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return found
    wanted = f'"name": "{name}"'
    for line in lines:
        if wanted in line:
            try:
                point: dict[str, Any] = json.loads(line)
                if point["stage"] == run.trained and point["value"] is not None:
                    found[point["step"]] = point["value"]
            except (ValueError, KeyError):
                break  # the last line of a run that was killed
    return found


def _by_stage(groups: Groups, word: str) -> str:
    """Of groups with several stages, or with exits."""
    lines = {}
    for label, runs in groups.items():
        example = next(iter(runs.values()))
        exits = [
            key for key in example.summary.get("metrics", {}) if key.startswith("test/exit_") and key.endswith(word)
        ]
        if exits:
            names = {key: key.split("/")[1] for key in exits} | {f"test/{word}": "deepest exit"}
        else:
            stages = [name for name in example.stages if example.metric(f"{name}:test/{word}") is not None]
            names = {f"{stage}:test/{word}": stage for stage in stages}
        values = [[run.metric(key) for key in names] for run in runs.values()]
        whole = [row for row in values if None not in row]
        if len(names) > 1 and whole:
            lines[label] = (list(names.values()), np.array(whole, dtype=float))
    return charts.by_stage(lines, f"test/{word}") if lines else ""


Predicted = list[tuple[Run, np.ndarray, np.ndarray]]
"""Runs with their test logits [N, K] and labels [N]."""


def _predictions(runs: Mapping[int, Run]) -> Predicted:
    return [(run, *found) for run in runs.values() if (found := run.predictions())]


def _temperature(run: Run) -> float:
    return run.metric("val/temperature") or 1.0


def _confidence(
    predicted: Mapping[str, Predicted], temperature: Callable[[Run], float]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = {}
    for label, runs in predicted.items():
        pairs = [top(softmax(logits / temperature(run), axis=1), labels) for run, logits, labels in runs]
        found[label] = (np.concatenate([c for c, _ in pairs]), np.concatenate([right for _, right in pairs]))
    return found


def _risk_coverage(predicted: Mapping[str, Predicted]) -> str:
    lines = {}
    for label, runs in predicted.items():
        risks = []
        for _, logits, labels in runs:
            confidence, correct = top(softmax(logits, axis=1), labels)
            wrong = 1.0 - correct[np.argsort(-confidence, kind="stable")]
            kept = np.maximum(1, np.round(COVERAGE * len(wrong)).astype(int))
            risks.append(100 * np.cumsum(wrong)[kept - 1] / kept)
        lines[label] = (100 * COVERAGE, np.array(risks))
    return charts.curves(lines, "coverage, %", "error of the most confident, %")
