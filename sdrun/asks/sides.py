"""The sides of an ask: training without a teacher, and each method that comes into question."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sdrun.asks.declaration import PLAIN, Asked, Candidate
from sdrun.asks.goals import Goal
from sdrun.claims.trials import drawn
from sdrun.configuration import settings_from
from sdrun.errors import InputError, require
from sdrun.preflight import require_learnable
from sdrun.settings.words import override, text
from sdrun.sweeps.arms import Arms, Job, place

WIDTHS = "model.widths"


@dataclass(frozen=True)
class Side:
    """``line``: its overrides; ``axes``: the settings that are tuned, with their values; ``controls``: by name, further
    overrides of the arms that take something of the teacher away; ``pretrain``: those of a run that it starts from.
    """

    name: str
    line: list[str]
    axes: dict[str, list[Any]]
    controls: dict[str, list[str]]
    pretrain: list[str] | None = None

    @property
    def before(self) -> list[str]:
        """The arm of its pretraining, if it has one."""
        return [] if self.pretrain is None else [f"{self.name}_pretrain"]

    def pretraining(self, seeds: Iterable[int]) -> list[Job]:
        return [(arm, seed, self.pretrain or []) for arm in self.before for seed in seeds]

    def start(self, arms: Arms, seed: int) -> list[str]:
        """Overrides by which it starts from what its pretraining of that seed gave."""
        return [override("init_from", str(arms.path / place(arm, seed))) for arm in self.before]

    def trials(self, num: int) -> list[list[str]]:
        """Overrides of that many trials, or of all that there are; the first is the side as it is."""
        most = math.prod(map(len, self.axes.values()))
        return [[], *drawn(self.axes, min(num - 1, most), self.name)]


def plain(asked: Asked, arms: Arms) -> Side:
    """Raises InputError where the goal cannot be asked of what is there."""
    line = list(asked.yardstick.baseline)
    try:
        _require_learnable(line, arms)
    except InputError as error:
        require(asked.goal is not Goal.compute, "--goal", f"{asked.goal.value} cannot be asked of this: {error}")
        raise
    return Side(PLAIN, line, _axes(asked, {}, line, arms), {})


def side(asked: Asked, name: str, arms: Arms) -> Side:
    """A candidate. Raises InputError where its settings do not suit what is asked."""
    candidate = asked.candidate(name)
    line = [*candidate.method, *_teacher(candidate, arms)]
    for each in (line, *([] if candidate.pretrain is None else [candidate.pretrain])):
        _require_learnable(each, arms)
    asked_for = {"silent": candidate.silent, "uninformed": candidate.uninformed}
    controls = {arm: more for arm, more in asked_for.items() if more is not None and _is_possible([*line, *more], arms)}
    return Side(name, line, _axes(asked, candidate.knobs, line, arms), controls, candidate.pretrain)


def _teacher(candidate: Candidate, arms: Arms) -> list[str]:
    """A wider one, of the kind of the model. Raises InputError for a model that has no widths."""
    if candidate.wider is None:
        return []
    settings = arms.making.compositions.settings([*arms.common, *candidate.method])
    if WIDTHS not in settings:
        raise InputError(f"model: {settings['model.name']} has no widths, by which to make a wider teacher")
    widths = [round(candidate.wider * width) for width in settings[WIDTHS]]
    return [f"teacher_model={settings['model.name']}", f"teacher_model.widths={text(widths)}"]


def _axes(asked: Asked, knobs: Mapping[str, Any], line: list[str], arms: Arms) -> dict[str, list[Any]]:
    """What is tuned of a side: of values that it does not have, or that it cannot have, nothing."""
    settings = arms.making.compositions.settings([*arms.common, *line])
    factors = {key: each for key, each in asked.scaled.items() if each is not None}
    scaled = {key: [float(f"{factor * settings[key]:.6g}") for factor in each] for key, each in factors.items()}
    every = {key: values for key, values in {**asked.grid, **scaled, **knobs}.items() if values is not None}
    possible = {
        key: [
            value
            for value in values
            if value == settings[key] or _is_possible([*line, override(key, text(value))], arms)
        ]
        for key, values in every.items()
        if key in settings
    }
    return {key: values for key, values in possible.items() if len(values) > 1}


def _require_learnable(line: list[str], arms: Arms) -> None:
    """Raise InputError where a run would have settings that do not suit each other, or the data."""
    require_learnable(settings_from(arms.making.compositions.config([*arms.common, *line])))


def _is_possible(line: list[str], arms: Arms) -> bool:
    try:
        arms.require_settings(line)
    except InputError:
        return False
    return True
