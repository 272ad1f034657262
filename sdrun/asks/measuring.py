"""How long trainings take here, by a few steps of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from sdrun.asks.declaration import PLAIN
from sdrun.asks.plan import Pace
from sdrun.asks.sides import Side
from sdrun.errors import InputError
from sdrun.sweeps.arms import Arms, Job
from sdrun.sweeps.estimate import Trial, tried


@dataclass(frozen=True)
class Measured:
    """Seconds of a step of plain training, ``alone`` and ``together`` with as many jobs as run at once; ``pace``: of
    the sides that come into question; ``lacking``: the others, with the reason.
    """

    alone: float
    together: float
    pace: Pace
    lacking: dict[str, str]


def measured(sides: Mapping[str, Side], arms: Arms, choose_by: str, until: float) -> Measured:
    """``choose_by``: a metric that they need. Raises InputError where plain training fails, and OutOfTime."""
    at_once = arms.making.at_once
    jobs: list[Job] = [(name, 0, side.line) for name, side in sides.items()]
    jobs += [job for side in sides.values() for job in side.pretraining([0])]
    (alone,) = _trials(jobs[:1], arms, 1, until).values()
    trials = _trials(jobs, arms, at_once, until)
    took = {
        arm: trial.seconds(arms.making.compositions.settings([*arms.common, *line]))
        for arm, _, line in jobs
        if (trial := trials[arm])
    }
    lacking = {}
    for name, side in sides.items():
        trial = trials[name]
        if trial is None or not took.keys() >= set(side.before):
            lacking[name] = "fails within a few steps"
        elif choose_by not in trial.metrics:
            lacking[name] = f"has no {choose_by}"
    together = trials[PLAIN]
    if alone is None or together is None or PLAIN in lacking:
        why = lacking.get(PLAIN, "fails within a few steps")
        raise InputError(
            f"sdrun ask: plain training {why}; see what is wrong by: sdrun {' '.join(sides[PLAIN].line)} ..."
        )
    seconds = {name: took[name] for name in sides if name not in lacking}
    starts = {name: took[arm] for name in seconds for arm in sides[name].before}
    return Measured(alone.pace, together.pace, Pace(seconds, starts, at_once), lacking)


def _trials(jobs: list[Job], arms: Arms, at_once: int, until: float) -> dict[str, Trial | None]:
    trials = tried(arms.making.context, arms.making.config, arms.lines(jobs), at_once, until)
    return dict(zip([arm for arm, _, _ in jobs], trials.values(), strict=True))
