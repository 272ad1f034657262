"""Runs at each of their stages, and at further networks of these, as if that were what they had come to."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sdrun.comparison.groups import STAGE
from sdrun.comparison.runs import Run
from sdrun.errors import InputError
from sdrun.settings.words import printable
from sdrun.storage.stage import COMPUTE

NOT_CHOSEN = ("last", "best")
"""Words of weights that ``optim.select`` left out."""


def places(run: Run) -> list[str]:
    """Where it was judged on the test set: its stages, and below each the further networks that were judged in it.

    A network is called by its word if it is of the stage that trained last, such as ``student`` or ``exit_1``, and
    ``STAGE/WORD`` if it is of another.
    """
    return [
        name for stage in judged(run) for name in (stage, *(_name(run, stage, word) for word in _words(run, stage)))
    ]


def judged(run: Run) -> list[str]:
    """Stages that have metrics of the test set."""
    return [
        name for name, stage in run.stages.items() if any(key.startswith("test/") for key in stage.get("metrics", {}))
    ]


def baselines(run: Run) -> list[str]:
    """The stages that a run holds itself against.

    Those of its own model without a teacher, a training or a control, that came before the stage that trained last, or
    else that one, for what was judged after it.
    """
    names = judged(run)
    if run.trained not in names:
        return []
    taught = [stage for stage, teachers in run.manifest.get("teachers", {}).items() if teachers]
    last = names.index(run.trained)
    before = [name for name in names[:last] if name not in taught and not run.stages[name].get("other")]
    return before or names[last : last + 1] * (len(names) > last + 1)


def is_other(run: Run) -> bool:
    """Whether it is looked at a network that is not of its model, such as a larger teacher."""
    return bool(run.stages.get(run.stage or "", {}).get("other"))


def at(run: Run, place: str) -> Run:
    """The run as if it had come to one of its ``places``: to the metrics and the predictions of that one, and by the
    compute of all stages up to there, but for baselines and other networks that taught none of them.
    """
    stage, word = _parted(run, place)
    names = list(run.stages)
    others = [name for name in names if run.stages[name].get("other")]
    aside = {*baselines(run), *others} - _sources(run, stage)
    done = [run.stages[name] for name in names[: names.index(stage) + 1] if name not in aside]
    metrics = done[-1].get("metrics", {})
    if word:
        keys = {key: key.replace(f"/{word}/", "/", 1) for key in metrics if re.match(rf"\w+/{re.escape(word)}/", key)}
        metrics = {short: metrics[key] for key, short in keys.items()}
    compute = {key: sum(entry.get(key) or 0 for entry in done) for key in COMPUTE}
    summary = {**run.summary, "metrics": metrics, "compute": compute}
    is_whole = len(judged(run)) == 1 and not word
    settings = run.settings if is_whole else {**run.settings, STAGE: place}
    return replace(run, summary=summary, settings=settings, stage=stage, word=word)


def seen_at(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """Each at all of its stages, or at those ``names`` of its places; one that was judged at one stage alone as it is.

    Raises InputError where no run has a place of such a name.
    """
    everywhere = {name for run in runs for name in places(run)}
    for name in names:
        if name not in everywhere:
            there = ", ".join(sorted(map(printable, everywhere))[:12])
            raise InputError(f"--stages {name}: no run has a stage of that name; they have {there or 'none'}")
    return [seen for run in runs for seen in _seen(run, names)]


def _seen(run: Run, names: Sequence[str]) -> Iterator[Run]:
    stages = judged(run)
    wanted = [name for name in places(run) if name in names]
    if not wanted and len(stages) < 2:
        return iter([run])
    return (at(run, name) for name in wanted or ([] if names else stages))


def _sources(run: Run, stage: str) -> set[str]:
    """The stage, those that taught it, those that taught these, and so on; of one that only judges all before it."""
    teachers = run.manifest.get("teachers", {})
    if stage not in teachers:
        return {*run.stages}
    sources, more = set[str](), [stage]
    while more:
        name = more.pop()
        sources.add(name)
        own = [told["stage"] for told in teachers.get(name, []) if "stage" in told and "run" not in told]
        more += [source for source in own if source not in sources]
    return sources


def _words(run: Run, stage: str) -> list[str]:
    """Those of further networks, in whose place nothing stands for the one that is judged."""
    headline = next(iter(run.declared), "")
    keys = [key.split("/") for key in run.stages[stage]["metrics"]]
    words = [parts[1] for parts in keys if len(parts) == 3 and (parts[0], parts[2]) == ("test", headline)]
    return [word for word in words if word not in NOT_CHOSEN]


def _name(run: Run, stage: str, word: str) -> str:
    return word if stage == run.trained else f"{stage}/{word}"


def _parted(run: Run, place: str) -> tuple[str, str]:
    """Stage and word."""
    if place in run.stages:
        return place, ""
    stage, _, word = place.rpartition("/")
    return stage or run.trained or "", word
