"""A run as TensorBoard's events: its curves, its pictures, and as tables what was measured once. Imports no torch.

The stages of a run follow one another: a step counts from its beginning, so that a run has one curve of a metric.
TensorBoard sorts groups of curves by name and opens the first two, hence ``1 val`` and ``2 train``.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from sdrun.comparison.drawings import drawings
from sdrun.comparison.logged import Point
from sdrun.comparison.runs import Run
from sdrun.settings.words import printable, text

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

FIRST = {"val": "1 val", "train": "2 train"}
"""What groups are called that shall come first."""


def tag(name: str) -> str:
    """What a metric is called in TensorBoard.

    >>> tag("val/accuracy"), tag("test/accuracy")
    ('1 val/accuracy', 'test/accuracy')
    """
    group, slash, rest = name.partition("/")
    return FIRST.get(group, group) + slash + rest


Spans = dict[str, tuple[int, int]]
"""The steps of its run at which each stage starts and ends."""


@dataclass(frozen=True)
class Record:
    """What a run logged: ``curves`` by step and time, and by stage the ``single`` values that it logged once."""

    curves: dict[tuple[int, float], dict[str, float]]
    single: dict[str, dict[str, float]]
    spans: Spans

    @classmethod
    def of(cls, points: Iterable[Point]) -> "Record":
        points = list(points)
        record = cls({}, {}, _spans(points))
        times = Counter((point.stage, point.name) for point in points)
        for point in points:
            if times[point.stage, point.name] > 1:
                start, _ = record.spans[point.stage]
                record.curves.setdefault((start + point.step, point.time), {})[point.name] = point.value
            else:
                record.single.setdefault(point.stage, {})[point.name] = point.value
        return record

    @property
    def num_steps(self) -> int:
        return max((end for _, end in self.spans.values()), default=0)

    @property
    def names(self) -> set[str]:
        """Of its curves."""
        return {name for values in self.curves.values() for name in values}


def _spans(points: Iterable[Point]) -> Spans:
    lengths: dict[str, int] = {}
    for point in points:
        lengths[point.stage] = max(point.step, lengths.get(point.stage, 0))
    ends = accumulate(lengths.values())
    return {stage: (end - length, end) for (stage, length), end in zip(lengths.items(), ends, strict=True)}


def curves(record: Record) -> list["Event"]:
    """An event a step and moment, with all that was logged then."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    def value(name: str, number: float) -> Summary.Value:
        return Summary.Value(tag=tag(name), simple_value=number)

    return [
        Event(step=step, wall_time=time, summary=Summary(value=[value(*each) for each in values.items()]))
        for (step, time), values in record.curves.items()
    ]


def pictures(run: Run, spans: Spans) -> list["Event"]:
    """Those of the run and of its stages in order. A stage that did not train has its name in front of them."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    folders = [path.name for path in (run.path / "tensorboard").glob("*") if path.is_dir()]
    events = []
    for stage in ["", *sorted(folders, key=lambda name: (spans.get(name, (0, 0)), name))]:
        start, end = spans.get(stage, (0, 0))
        title = f"{printable(stage)}/" if stage and start == end else ""
        for drawing in drawings(run, stage):
            image = Summary.Image(height=drawing.height, width=drawing.width, encoded_image_string=drawing.png)
            shown = Summary(value=[Summary.Value(tag=title + drawing.title, image=image)])
            events.append(Event(step=start + drawing.step, wall_time=drawing.time, summary=shown))
    return events


def tables(run: Run, record: Record) -> list["Event"]:
    """What its finished stages came to, and its settings."""
    is_over = run.status != "running"
    results = {}
    for stage in dict.fromkeys([*record.spans, *run.stages]):
        if stage in run.stages or is_over:
            keys = run.stages.get(stage, {}).get("metrics", {})
            measured = {key: value for key in keys if (value := run.metric(f"{stage}:{key}")) is not None}
            results[stage] = {**record.single.get(stage, {}), **measured}
    keys = sorted({key for values in results.values() for key in values}, key=_importance)
    rows = [[key, *(f"{values[key]:.4g}" if key in values else "" for values in results.values())] for key in keys]
    settings = [[key, text(value)] for key, value in run.settings.items()]
    shown = [_table("results", ["metric", *results], rows, record.num_steps)] if rows else []
    return [*shown, _table("settings", ["setting", "value"], settings, 0)]


def _importance(key: str) -> tuple[bool, bool, str]:
    """Before others what is of no class, exit or other network, and what is of the test set."""
    return key.count("/") > 1, not key.startswith("test/"), key


def _table(title: str, heads: list[str], rows: list[list[str]], step: int) -> "Event":
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.text.metadata import create_summary_metadata

    lines = [heads, ["---"] * len(heads), *rows]
    markdown = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
    tensor = TensorProto(dtype=DT_STRING, string_val=[markdown.encode()], tensor_shape=TensorShapeProto())
    shown = Summary.Value(tag=title, tensor=tensor, metadata=create_summary_metadata(title, ""))
    return Event(step=step, summary=Summary(value=[shown]))


def _cell(words: str) -> str:
    """Words that Markdown leaves as they are."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>])", r"\\\1", printable(words))
