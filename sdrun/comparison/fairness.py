"""What a group of runs had that its baseline had not, and the command that gives the baseline as much."""

import math
from collections.abc import Iterable
from dataclasses import fields

from sdrun.choices import TEACHER_MODEL
from sdrun.comparison.baselines import SUPERVISED
from sdrun.comparison.commands import FOLDER, SEED, command, words
from sdrun.comparison.groups import STAGE, Group, differing, of_budget
from sdrun.comparison.runs import Run
from sdrun.comparison.sentences import price
from sdrun.settings import Settings
from sdrun.settings.words import parted, printable, text

VIEWS = ("clean", "weak", "strong")
"""From the weakest to the strongest."""

VIEW = "method.view"
OF_VIEWS = (VIEW, "method.student_view")
LENGTH = EPOCHS, STEPS = "optim.epochs", "optim.max_steps"
ALIKE = 1.05
"""Times the compute that count as as much."""

OF_ALL = {field.name for field in fields(Settings)} - {"method", "control"}
"""What a command may set beside a method, without a dot."""


def advantage(own: Group, base: Group, groups: Iterable[Group] = ()) -> list[str]:
    """What ``own`` had more of, and below it the command of a baseline that has it too; nothing where it had no more.

    ``groups``: others that are at hand, of which one may be that baseline. Else the command is that of supervised
    training, also for a baseline that is a stage of the runs themselves; there is none where their command names an
    experiment, whose values may be the method's.
    """
    times = price(own.runs, base.runs)
    view, base_view = _strongest(own.example), _strongest(base.example)
    parts, changed = [], dict[str, str]()
    if VIEWS.index(view) > VIEWS.index(base_view):
        parts.append(f"{view} views")
        changed[VIEW] = view
    if times is not None and times > ALIKE:
        parts.append(f"{times:.1f} times the compute")
        changed |= _length(base.example, times)
    if not parts:
        return []
    told = printable(f"{own.label} had {' and '.join(parts)}, {base.label} had not.")
    if there := next((group for group in groups if _has_as_much(group, own, base)), None):
        return [printable(f"{told} {there.label} had; to hold the others against it:"), _asking(there, base)]
    kept = _kept(base.example, *changed)
    if kept is None:
        return [told]
    overrides = [f"method={SUPERVISED}", *kept, *(f"{key}={value}" for key, value in changed.items())]
    return [f"{told} A baseline that has it too:", f"  {command(overrides, list(own.runs))}"]


def _has_as_much(group: Group, own: Group, base: Group) -> bool:
    """Whether a group is the baseline with views as strong and as much compute as ``own``."""
    keys, times = differing(group.settings, base.settings), price(own.runs, group.runs)
    views = [VIEWS.index(_strongest(one.example)) for one in (group, own)]
    return bool(keys) and {*keys} <= {*LENGTH, VIEW} and views[0] >= views[1] and (times is None or times <= ALIKE)


def _asking(there: Group, base: Group) -> str:
    """Options of a comparison with ``there`` in place of ``base``."""
    keys = differing(there.settings, base.settings)
    options = [f"--baseline method={SUPERVISED}", *(f"{key}={text(there.settings.get(key))}" for key in keys)]
    return printable("  " + " ".join([*options, *(["--across", *across] if (across := of_budget(keys)) else [])]))


def _strongest(run: Run) -> str:
    views = [view for key in OF_VIEWS if (view := run.settings.get(key)) in VIEWS]
    return max(views, key=VIEWS.index, default=VIEWS[0])


def _kept(run: Run, *without: str) -> list[str] | None:
    """The words of its command that say no seed, nor are of a method that is not supervised; None: nobody knows."""
    kept = words(run, SEED, FOLDER, "method", *without)
    if STAGE not in run.settings:
        return kept
    keys = [parted(word)[0] for word in kept]
    if "experiment" in keys:
        return None
    return [word for word, key in zip(kept, keys, strict=True) if key in OF_ALL or _is_of_group(key)]


def _is_of_group(key: str) -> bool:
    return ("." in key or "/" in key) and not key.startswith(("method.", f"{TEACHER_MODEL}."))


def _length(run: Run, times: float) -> dict[str, str]:
    """Settings by which it would train for as many times as long; no epochs where they would not be what ends it."""
    lengths = {key: value for key in LENGTH if isinstance(value := run.settings.get(key), int | float) and value}
    longer = {key: math.ceil(value * times) for key, value in lengths.items()}
    if EPOCHS in longer and longer.get(STEPS, math.inf) <= lengths[EPOCHS] * _steps_per_epoch(run):
        del longer[EPOCHS]
    return {key: str(value) for key, value in longer.items()}


def _steps_per_epoch(run: Run) -> int:
    """0 where the run does not say."""
    num, size = run.manifest.get("items", {}).get("num_train"), run.settings.get("optim.batch_size")
    return num // size if isinstance(num, int) and isinstance(size, int) and size > 0 else 0
