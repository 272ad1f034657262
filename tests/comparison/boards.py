"""What TensorBoard is shown of runs."""

import json

from folders import made_run
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from sdrun.comparison.board import Board


def seen(path, *arguments, day=1, overrides=None, points=(), **settings):
    """A run with something to be seen; ``points``: stage, step, name and value of each that it logged."""
    made_run(path, *arguments, **settings)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest |= {"created": f"2026-01-0{day}T00:00:00+00:00"} | ({"overrides": overrides} if overrides else {})
    (path / "manifest.json").write_text(json.dumps(manifest))
    log(path, points)
    return path


def log(path, points):
    with (path / "metrics.jsonl").open("a") as file:
        for stage, step, name, value in points:
            point = {"stage": stage, "step": step, "epoch": 0, "name": name, "value": value, "time": 1e9 + step}
            file.write(f"{json.dumps(point)}\n")


def shown(place, folder="runs", **wanted):
    """A board that has looked once."""
    place.mkdir(exist_ok=True)
    board = Board(str(folder), place, wanted)
    board.update()
    return board


def values(view):
    """All values that a run's folder holds, as pairs of step and value by tag."""
    by_tag = {}
    for file in sorted(view.place.iterdir()):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                by_tag.setdefault(value.tag, []).append((event.step, value))
    return by_tag


def curves(view):
    """Steps and numbers by tag."""
    return {
        tag: [(step, round(value.tensor.float_val[0], 4)) for step, value in pairs]
        for tag, pairs in values(view).items()
        if all(value.metadata.plugin_data.plugin_name == "scalars" for _, value in pairs[:1])
    }


def table(view, title):
    """Lines of words of its newest table of this title."""
    text = values(view)[title][-1][1].tensor.string_val[0].decode().replace("\\", "")
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def hparams(event):
    """What an event tells HParams."""
    (value,) = event.summary.value
    return HParamsPluginData.FromString(value.metadata.plugin_data.content)


def columns(board):
    """As HParams shows them, in order."""
    return [info.display_name for info in hparams(board.columns).experiment.hparam_infos]
