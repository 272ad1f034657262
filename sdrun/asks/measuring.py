"""How long trainings take here, by a few steps of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from sdrun.asks.declaration import PLAIN
from sdrun.asks.sides import Side
from sdrun.errors import require
from sdrun.sweeps.arms import Arms, Job
from sdrun.sweeps.estimate import Trial, tried


@dataclass(frozen=True)
class Measured:
    """Seconds of a step of plain training, ``alone`` and ``together`` with as many jobs as run at once, and of a whole
    training of each side, all jobs at once; of sides that fail there are none.
    """

    alone: float
    together: float
    seconds: dict[str, float]


def measured(sides: Mapping[str, Side], arms: Arms, until: float) -> Measured:
    """Raises InputError where plain training fails, and OutOfTime."""
    jobs: list[Job] = [(name, 0, side.line) for name, side in sides.items()]
    jobs += [job for side in sides.values() for job in side.pretraining([0])]
    (alone,) = _trials(jobs[:1], arms, 1, until).values()
    trials = _trials(jobs, arms, arms.making.at_once, until)
    together = trials[PLAIN]
    if alone is None or together is None:
        require(False, "sdrun ask", "plain training fails; see what is wrong by: sdrun method=supervised ...")
    assert alone
    assert together
    lines = {arm: [*arms.common, *line] for arm, _, line in jobs}
    took = {arm: trial.seconds(arms.making.compositions.settings(lines[arm])) for arm, trial in trials.items() if trial}
    whole = {name: [name, *side.before] for name, side in sides.items()}
    seconds = {name: sum(took[arm] for arm in parts) for name, parts in whole.items() if took.keys() >= set(parts)}
    return Measured(alone.pace, together.pace, seconds)


def _trials(jobs: list[Job], arms: Arms, at_once: int, until: float) -> dict[str, Trial | None]:
    found = tried(arms.making.context, arms.making.config, arms.lines(jobs), at_once, until)
    return dict(zip([arm for arm, _, _ in jobs], found.values(), strict=True))
