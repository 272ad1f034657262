"""A folder for TensorBoard with all runs by names that say what they are, and the columns of its HParams tab."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from sdrun.comparison.declared import together
from sdrun.comparison.groups import IGNORED, differing, grouped
from sdrun.comparison.runs import Found, Run, find
from sdrun.judges.metric import shown
from sdrun.settings.words import printable

SHOWN_FIRST = ["method.name", "seed"]
LONGEST_NAME = 200
"""Bytes of a file's name, where file systems take 255."""


def link(
    folder: str, place: Path, wanted: dict[str, str], told: Callable[[Found], None] = lambda everything: None
) -> int:
    """Link each run's view into ``place`` by its name, such as ``born_again alpha=0.9 seed=0``; returns how many.

    ``told`` hears of all that was looked at.
    """
    everything = find([folder])
    told(everything)
    runs = [run for run in everything.runs if run.matches(wanted)]
    targets = {(path / "tensorboard").resolve(): name for path, name in _names(runs).items()}
    targets = {target: name for target, name in targets.items() if target.is_dir()}
    links = [entry for entry in place.iterdir() if entry.is_symlink()]
    is_new = {entry.name for entry in links} != set(targets.values())
    for old in links:
        if targets.get(old.resolve()) != old.name:
            old.unlink()
    for target, name in targets.items():
        if not (place / name).exists():
            (place / name).symlink_to(target, target_is_directory=True)
    if is_new and targets:
        _write_columns(runs, place)
    return len(targets)


def _names(runs: list[Run]) -> dict[Path, str]:
    """By run folder; of several with the same settings and seed the older ones carry their folder."""
    groups, _ = grouped(runs)
    names = {run.path: f"{group.label} seed={seed}" for group in groups for seed, run in group.runs.items()}
    names |= {run.path: f"{run.manifest['method']} seed={run.seed} {run.path}" for run in runs if run.path not in names}
    return {path: _file_name(name) for path, name in names.items()}


def _file_name(name: str) -> str:
    name = printable(name).replace("/", "_")
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{name.encode()[:LONGEST_NAME].decode(errors='ignore')} {sha256(name.encode()).hexdigest()[:8]}"


def _write_columns(runs: list[Run], place: Path) -> None:
    """Tell HParams which settings and metrics to show, and in which order: those that differ, and those that decide.

    TensorBoard takes them from the first run that has any, which is the folder itself.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    first = runs[0].settings
    differ = {
        key: None for run in runs for key in differing(first, run.settings) if key not in (*IGNORED, "dataset.seed")
    }
    keys = dict.fromkeys([*SHOWN_FIRST, *differ])
    kinds = {key: {type(run.settings[key]) for run in runs if key in run.settings} for key in keys}
    hparams = [api_pb2.HParamInfo(name=key, type=_kind(kinds[key])) for key in keys]
    present = {key for run in runs for key in run.summary.get("metrics", {})}
    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=key)) for key in _foremost(runs) if key in present]
    for old in place.glob("events.*"):
        old.unlink()
    experiment = api_pb2.Experiment(hparam_infos=hparams, metric_infos=metrics)
    content = plugin_data_pb2.HParamsPluginData(experiment=experiment, version=metadata.PLUGIN_DATA_VERSION)
    shown = Summary.Value(tag=metadata.EXPERIMENT_TAG, metadata=metadata.create_summary_metadata(content))
    writer = EventFileWriter(str(place))
    writer.add_event(Event(summary=Summary(value=[shown])))
    writer.close()


def _foremost(runs: list[Run]) -> list[str]:
    """The metrics that overviews show, the first one on validation, and three that say whether these can be trusted."""
    declared = together(run.declared for run in runs)
    keys = [f"test/{metric.name}" for metric in shown(declared)]
    headline = f"val/{next(iter(declared))}"
    return list(dict.fromkeys([*keys, "test/aurc", headline, "val/temperature", "test/knn_accuracy"]))


def _kind(types: set[type]) -> int:
    from tensorboard.plugins.hparams import api_pb2

    if types == {bool}:
        return api_pb2.DATA_TYPE_BOOL
    return api_pb2.DATA_TYPE_FLOAT64 if types <= {int, float} else api_pb2.DATA_TYPE_STRING
