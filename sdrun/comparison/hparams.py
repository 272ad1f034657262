"""What TensorBoard's HParams tab shows of runs: the choice of method, the settings that differ, and what decides.

TensorBoard sorts columns by name and shows the first five, hence the numbers in front of names, which nobody sees. Test
metrics are columns of this kind as well: as metrics, each would also be a curve of one point.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sdrun.comparison.declared import together
from sdrun.comparison.events import tag
from sdrun.comparison.groups import IGNORED
from sdrun.comparison.runs import Run
from sdrun.judges.metric import fewest, shown
from sdrun.settings.words import printable, text

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.hparams.api_pb2 import HParamInfo
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

METHOD, SETTING, HEADLINE, OVERVIEW, FURTHER = "1 ", "2 ", "3 ", "4 ", "5 "
"""What the names of columns begin with, by their place."""

LEFT_OUT = {*IGNORED, "dataset.seed", "method.name", "method.preset"} - {"seed", "init_from"}
"""Settings that are no columns: they change nothing, or another column says as much."""

DOUBTS = ("test/aurc", "val/temperature", "test/knn_accuracy")
"""Metrics beside those of overviews: they say whether these can be trusted."""

Row = dict[str, bool | float | str]


def session(run: Run) -> list["Event"]:
    """The row of a finished run: all that columns may show of it."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    start = plugin_data_pb2.SessionStartInfo()
    for name, value in _row(run).items():
        if isinstance(value, str):
            start.hparams[name].string_value = value
        elif isinstance(value, bool):
            start.hparams[name].bool_value = value
        else:
            start.hparams[name].number_value = value
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS)
    return [
        _event(metadata.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=start)),
        _event(metadata.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=end)),
    ]


def columns(runs: Sequence[Run], curves: set[str]) -> "Event":
    """The columns of finished runs, in order. ``curves``: names of metrics whose last value TensorBoard knows."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    values: dict[str, dict[str, bool | float | str]] = {}
    for run in runs:
        for name, value in _row(run).items():
            values.setdefault(name, {})[text(value)] = value
    names = sorted(name for name in values if not name.startswith(SETTING) or len(values[name]) > 1)
    headline = f"val/{next(iter(together(run.declared for run in runs)))}"
    last = api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag(headline)), display_name=f"{headline}, last")
    experiment = api_pb2.Experiment(
        hparam_infos=[_column(name, list(values[name].values())) for name in names],
        metric_infos=[last] if headline in curves else [],
    )
    return _event(metadata.EXPERIMENT_TAG, plugin_data_pb2.HParamsPluginData(experiment=experiment))


def _row(run: Run) -> Row:
    """By the names of columns."""
    row: Row = {f"{METHOD}method": run.title}
    for key, value in run.settings.items():
        if key not in LEFT_OUT:
            is_number = isinstance(value, int | float) and math.isfinite(value) and key != "seed"
            row[SETTING + printable(key)] = value if is_number else printable(text(value))
    headline = f"test/{next(iter(run.declared))}"
    places = dict.fromkeys([*(f"test/{metric.name}" for metric in shown(run.declared)), *DOUBTS], FURTHER)
    places |= dict.fromkeys((f"test/{metric.name}" for metric in fewest(run.declared)), OVERVIEW)
    for key, place in (places | {headline: HEADLINE}).items():
        if (measured := run.metric(key)) is not None:
            row[place + printable(key)] = measured
    return row


def _column(name: str, values: list[bool | float | str]) -> "HParamInfo":
    from tensorboard.plugins.hparams import api_pb2

    kinds = {type(value) for value in values}
    column = api_pb2.HParamInfo(name=name, display_name=name[len(METHOD) :], differs=True)
    if kinds <= {int, float}:
        column.type = api_pb2.DATA_TYPE_FLOAT64
    else:
        column.type = api_pb2.DATA_TYPE_BOOL if kinds == {bool} else api_pb2.DATA_TYPE_STRING
        column.domain_discrete.extend(sorted(values) if len(kinds) == 1 else values)
    return column


def _event(title: str, content: "HParamsPluginData") -> "Event":
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata

    value = Summary.Value(tag=title, metadata=metadata.create_summary_metadata(content))
    return Event(summary=Summary(value=[value]))
