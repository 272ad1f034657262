"""How long jobs will take: one of each kind is tried for a few steps, and what it took is drawn out."""

import copy
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.utils import JobStatus
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from sdrun.compositions import Compositions
from sdrun.settings.words import clock, counted, override, printable
from sdrun.storage.documents import read_json
from sdrun.sweeps.launch import SUBDIR, launch, num_at_once

STEPS = 30
"""Of each stage of a trial."""

LENGTH = ("optim.epochs", "optim.max_steps")
"""Settings of how long a stage is."""

Settings = dict[str, Any]


def show(
    context: HydraContext, config: DictConfig, jobs: Mapping[str, list[str]], asked: int | None
) -> dict[str, float | None]:
    """Say which jobs there are, overrides by name, and how long they take; ``asked``: how many at once.

    Returns seconds by name, None of one that failed. Nothing is left behind. What jobs share is not taken off.
    """
    console = Console(highlight=False, soft_wrap=True)
    if not jobs:
        console.print("All of it is there; nothing is left to run")
        return {}
    compositions = Compositions(config, context.config_loader)
    settings = {name: compositions.settings(line) for name, line in jobs.items()}
    kinds = {name: _kind(values) for name, values in settings.items()}
    examples = {kind: name for name, kind in reversed(kinds.items())}
    console.print(
        f"Trying {len(examples)} of {len(jobs)} jobs for {STEPS} steps a stage; nothing of it is kept", style="dim"
    )
    trials = tried(context, config, {name: jobs[name] for name in examples.values()}, asked)
    of_jobs = {name: trials[examples[kind]] for name, kind in kinds.items()}
    seconds = {name: trial.seconds(settings[name]) if trial else None for name, trial in of_jobs.items()}
    table = Table(box=None, pad_edge=False)
    for title, justify in (("job", "left"), ("about", "right")):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for name, time in seconds.items():
        table.add_row(printable(name), "failed" if time is None else clock(time))
    console.print(table)
    total, num = sum(time or 0 for time in seconds.values()), num_at_once(config, list(jobs.values()), asked)
    longest = max((time or 0 for time in seconds.values()), default=0)
    console.print(
        f"{counted(len(jobs), 'job')}, {min(num, len(jobs))} at once: about {clock(max(total / num, longest))}"
    )
    return seconds


def tried(
    context: HydraContext,
    config: DictConfig,
    jobs: Mapping[str, list[str]],
    asked: int | None,
    until: float | None = None,
) -> dict[str, "Trial | None"]:
    """Those jobs, overrides by name, after a few steps of each stage; None of one that failed. Nothing is left behind.

    ``asked`` and ``until`` are those of ``launch``.
    """
    with tempfile.TemporaryDirectory() as place:
        trial = copy.deepcopy(config)
        OmegaConf.set_readonly(trial.hydra, False)
        trial.hydra.sweep.dir = place
        short = [f"optim.max_steps={STEPS}", "hydra.sweeper.reuse=false", override("hydra.sweep.dir", place)]
        lines = [[*line, *short, f"{SUBDIR}={number}"] for number, line in enumerate(jobs.values())]
        done = launch(context, trial, lines, 0, asked, is_quiet=True, until=until)
        return {
            name: Trial(Path(place) / str(number)) if result.status is JobStatus.COMPLETED else None
            for number, (name, result) in enumerate(zip(jobs, done, strict=True))
        }


class Trial:
    """What a run took whose stages ended after a few steps."""

    def __init__(self, path: Path) -> None:
        summary = read_json(path / "summary.json")
        lengths: dict[str, float] = {}
        for point in map(json.loads, (path / "metrics.jsonl").read_text().splitlines()):
            if point["epoch"]:
                lengths[point["stage"]] = point["step"] / point["epoch"]
        self.metrics: dict[str, float] = summary["metrics"]
        trained = [stage for stage in summary["stages"] if stage["steps"]]
        self.beside = summary["wall_seconds"] - sum(stage["seconds"] for stage in trained)
        self.stages = [(stage["seconds"] / stage["steps"], lengths[stage["name"]]) for stage in trained]

    @property
    def pace(self) -> float:
        """Seconds of a step of its first stage."""
        return self.stages[0][0]

    def seconds(self, settings: Settings) -> float:
        """Of a job that is as long as its settings say."""
        epochs, most = (settings[key] for key in LENGTH)
        steps = [min(epochs * length, most or epochs * length) for _, length in self.stages]
        return self.beside + sum(pace * num for (pace, _), num in zip(self.stages, steps, strict=True))


def _kind(settings: Settings) -> str:
    """Equal for jobs whose steps take as long, to all appearances: seeds and fractions do not count."""
    counting = {key: value for key, value in settings.items() if key not in LENGTH and not key.endswith("seed")}
    return repr(sorted((key, value) for key, value in counting.items() if not isinstance(value, float)))
