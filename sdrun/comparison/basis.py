"""On what a comparison rests: facts, settings that differ, and the commands that made the runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sdrun.comparison import seen
from sdrun.comparison.commands import SEED, command, words
from sdrun.comparison.groups import DATA_SEED, FOLLOWS, IGNORED, STAGE
from sdrun.comparison.report import Groups, Section, pictures, section
from sdrun.comparison.runs import Run
from sdrun.comparison.tables import Table
from sdrun.settings.words import clock, counted, printable, text

MOST_NAMED = 4
"""Different values of a fact."""


def whole(groups: Groups) -> list[Section]:
    """All that a page has below its answer."""
    return [facts(groups), *pictures(groups), *seen.section(groups), *settings(groups), commands(groups)]


def facts(groups: Groups) -> Section:
    """On what the answer rests: data, model, length, seeds, cost, date and versions; of several, all that there are."""
    runs = [run for members in groups.values() for run in members.values()]
    manifests = [run.manifest for run in runs]
    steps = [stage["steps"] for run in runs for stage in run.stages.values() if stage.get("steps")]
    told = {
        "data": map(_data, manifests),
        "model": (manifest.get("model", "") for manifest in manifests),
        "steps of a stage": (f"{num:,}" for num in steps),
        "seeds": (", ".join(map(str, members)) for members in groups.values()),
        "training in all": [clock(_seconds(runs))],
        "hardware": map(_hardware, manifests),
        "run on": sorted({str(manifest.get("created", ""))[:10] for manifest in manifests}),
        "versions": map(_versions, manifests),
    }
    table = Table("", ["fact", "value"], left=("fact", "value"))
    for name, values in told.items():
        different = list(dict.fromkeys(map(printable, filter(None, values))))
        if different:
            more = [f"{len(different) - MOST_NAMED} more"] if len(different) > MOST_NAMED else []
            table.rows.append([name, "; ".join([*different[:MOST_NAMED], *more])])
    return section("What it rests on", [table], [])


def _data(manifest: Mapping[str, Any]) -> str:
    num = (manifest.get("items") or {}).get("num_train")
    return f"{manifest['dataset']}, {num:,} items for training" if num else manifest["dataset"]


def _seconds(runs: Sequence[Run]) -> float:
    """Of training, of each run once, however many of its stages are looked at."""
    whole = {run.path: sum(stage.get("seconds") or 0.0 for stage in run.stages.values()) for run in runs}
    return sum(whole.values())


def _hardware(manifest: Mapping[str, Any]) -> str:
    hardware = manifest.get("hardware") or {}
    threads = [counted(hardware["threads"], "thread")] if hardware.get("threads") else []
    words = [str(hardware[key]) for key in ("device", "processor", "precision") if hardware.get(key)]
    return ", ".join([*words, *threads])


def _versions(manifest: Mapping[str, Any]) -> str:
    made = manifest.get("versions") or {}
    commit = (manifest.get("git") or {}).get("commit", "")
    by = [f"{name} {made[name]}" for name in ("sdrun", "python", "torch") if name in made]
    return ", ".join([*by, *([f"commit {commit[:10]}"] if commit else [])])


def title(groups: Groups) -> str:
    """Which runs, on which data."""
    runs = [run for members in groups.values() for run in members.values()]
    methods = list(dict.fromkeys(run.title for run in runs)) if _are_of_stages(groups) else list(groups)
    names = ", ".join(methods) if len(methods) < 4 else f"{len(methods)} groups of runs"
    return printable(f"{names} on {', '.join(sorted({run.manifest['dataset'] for run in runs}))}")


def _are_of_stages(groups: Groups) -> bool:
    return all(STAGE in run.settings for members in groups.values() for run in members.values())


def settings(groups: Groups) -> list[Section]:
    """The settings in which the groups differ, of those that more than one of them has; nothing of stages of a run."""
    if _are_of_stages(groups):
        return []
    examples = {label: next(iter(runs.values())).settings for label, runs in groups.items()}
    keys = dict.fromkeys(key for settings in examples.values() for key in settings if key not in (*IGNORED, STAGE))
    table = Table("", ["setting", *examples], left=("setting", *examples))
    for key in sorted(set(keys) - {DATA_SEED}):
        values = [text(own[key]) if key in own else "" for own in examples.values()]
        if len({text(own[key]) for own in examples.values() if key in own}) > 1:
            table.rows.append([key, *values])
    data_seeds = [_data_seed(runs) for runs in groups.values()]
    if len(set(data_seeds)) > 1:
        table.rows.append([DATA_SEED, *data_seeds])
    return [section("Settings that differ", [table], [] if table.rows else ["None."])]


def commands(groups: Groups) -> Section:
    """What makes these runs again, a command a group where only the seeds differ."""
    command_lines: dict[str, None] = {}
    for runs in groups.values():
        seeds: dict[tuple[str, ...], list[int]] = {}
        for seed, run in runs.items():
            seeds.setdefault(tuple(words(run, SEED)), []).append(seed)
        command_lines |= {command(overrides, of_seeds): None for overrides, of_seeds in seeds.items()}
    return Section("Make it again", commands=list(command_lines))


def _data_seed(runs: Mapping[int, Run]) -> str:
    seeds = {seed: text(run.settings.get(DATA_SEED)) for seed, run in runs.items()}
    return FOLLOWS if all(text(seed) == own for seed, own in seeds.items()) else next(iter(seeds.values()))
