"""What a run logged while it trained, from its record."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from sdrun.comparison.runs import LARGEST, Run
from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable, content
from sdrun.storage.manifest import begins_with

LARGEST_LOG = 500_000_000
"""Bytes."""

Points = dict[str, dict[int, float]]
"""Values by step, by metric."""


class Point(NamedTuple):
    """``time``: when it was logged, in seconds since 1970."""

    stage: str
    step: int
    name: str
    value: float
    time: float


def everything(run: Run) -> Iterator[Point]:
    """All that was logged, in order; damaged lines and what is no number are left out. Raises Unreadable."""
    for line in content(run.path / "metrics.jsonl", LARGEST_LOG).splitlines():
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            yield _point(json.loads(line))


def points(run: Run, names: list[str]) -> Points:
    """What was logged by these names of the stage that gave the run's metrics. Raises Unreadable."""
    file = run.path / "metrics.jsonl"
    wanted = re.compile(f'"name": ({"|".join(re.escape(json.dumps(name)) for name in names)})'.encode())
    values: Points = {name: {} for name in names}
    record = content(file, LARGEST_LOG)
    if not begins_with(record, run.manifest.get("record")):
        raise Unreadable("metrics.jsonl is damaged: its SHA-256 is not the one in manifest.json")
    for number, line in enumerate(record.splitlines(), start=1):
        if not wanted.search(line):
            continue
        try:
            point: dict[str, Any] = json.loads(line)
            if point["stage"] == run.seen and point["value"] is not None:
                values[point["name"]][_step(point["step"])] = _value(point["value"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unreadable(f"metrics.jsonl cannot be read (line {number} is not what sdrun writes)") from error
    return values


def _point(values: dict[str, Any]) -> Point:
    stage, name = printable(values["stage"]), printable(values["name"])
    return Point(stage, _step(values["step"]), name, _value(values["value"]), _value(values["time"]))


def _step(step: Any) -> int:
    if type(step) is not int or not 0 <= step < 2**53:
        raise ValueError(step)
    return step


def _value(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) <= LARGEST:
        raise ValueError(value)
    return float(value)
