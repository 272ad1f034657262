"""What the runs of claims tell: whether a teacher is alive, and whether it helps."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sdrun.claims.declaration import EQUAL, METHOD, PLAIN, PRETRAIN, SILENT, TUNED, Contrast, Declaration
from sdrun.claims.folder import ClaimFolder
from sdrun.comparison.declared import together
from sdrun.comparison.differences import Cell, Difference, cell, difference
from sdrun.comparison.runs import Run, read
from sdrun.comparison.statistics import LEVEL
from sdrun.judges.metric import Metric, lookup
from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable

ARMS = (PRETRAIN, METHOD, SILENT, PLAIN, TUNED, EQUAL)


@dataclass
class Answer:
    """A contrast and what came out; None where fewer than two seeds have both sides."""

    contrast: Contrast
    difference: Difference | None

    @property
    def is_found(self) -> bool:
        return self.difference is not None and self.difference.adjusted <= LEVEL


@dataclass
class Judged:
    """A claim with its finished runs by arm and seed. ``missing``: what is not finished, with the reason.

    ``decisive`` are the comparisons that the verdicts rest on, and that are corrected for together.
    """

    folder: ClaimFolder
    claim: Declaration
    runs: dict[str, dict[int, Run]]
    missing: list[tuple[Path, str]]
    answers: dict[str, list[Answer]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return printable(self.folder.name)

    @cached_property
    def declared(self) -> dict[str, Metric]:
        """What the metrics of all runs mean, by name."""
        return together(run.declared for runs in self.runs.values() for run in runs.values())

    @property
    def decisive(self) -> list[Difference]:
        asked = [*self.answers["alive"], *self.answers["helps"][:1]]
        return [answer.difference for answer in asked if answer.difference]

    @property
    def is_alive(self) -> bool:
        return any(answer.is_found for answer in self.answers["alive"])

    @property
    def alive(self) -> str:
        if self.is_alive:
            return "alive"
        return "not shown: " + _cannot_tell(self.answers["alive"])

    @property
    def helps(self) -> str:
        """``helps``, ``hurts``, or why that cannot be told."""
        deciding = self.answers["helps"][0]
        if deciding.difference and deciding.is_found:
            better = deciding.difference.metric.is_better(deciding.difference.paired.mean)
            return {True: "helps", False: "hurts", None: "not shown: its metric has no better side"}[better]
        return "not shown: " + _cannot_tell([deciding])

    def cells(self, arm: str, metrics: list[str]) -> dict[str, Cell]:
        return {metric: value for metric in metrics if (value := cell(self.values(arm, metric)))}

    def values(self, side: str, metric: str) -> dict[int, float]:
        """By seed, of a side such as ``method`` or ``method:ensemble``."""
        arm, colon, stage = side.partition(":")
        name = f"{stage}:{metric}" if colon else metric
        runs = self.runs.get(arm, {})
        return {seed: value for seed, run in runs.items() if (value := run.metric(name)) is not None}

    def compute(self, arm: str, key: str) -> float | None:
        """Mean over seeds of what a run of the arm took; for ``method`` pretraining is added."""
        costs = [run.summary.get("compute", {}) for run in self.runs.get(arm, {}).values()]
        amounts = [cost[key] for cost in costs if key in cost]
        if not amounts:
            return None
        mean = sum(amounts) / len(amounts)
        return mean + (self.compute(PRETRAIN, key) or 0.0) if arm == METHOD else mean

    @property
    def minutes(self) -> float:
        """CPU-minutes of all runs, the grid's included: wall time by the number of threads."""
        runs = [run for arm in self.runs.values() for run in arm.values()]
        seconds = [
            run.summary.get("wall_seconds", 0) * run.manifest.get("hardware", {}).get("threads", 1) for run in runs
        ]
        return sum(seconds) / 60


def judged(folders: list[ClaimFolder]) -> list[Judged]:
    """All claims, with the decisive comparisons of all of them corrected for together."""
    claims = [_read(folder) for folder in folders]
    asked = {id(claim): claim.claim.questions() for claim in claims}
    num = sum(len(questions["alive"]) + 1 for questions in asked.values())
    for claim in claims:
        claim.answers = {
            kind: [
                Answer(c, _difference(claim, c, num if kind == "alive" or c is asked[id(claim)]["helps"][0] else 1))
                for c in contrasts
            ]
            for kind, contrasts in asked[id(claim)].items()
        }
    return claims


def _difference(claim: Judged, contrast: Contrast, num_comparisons: int) -> Difference | None:
    own, base = claim.values(contrast.left, contrast.metric), claim.values(contrast.right, contrast.metric)
    if len(own.keys() & base.keys()) < 2:
        return None
    return difference(lookup(contrast.metric, claim.declared), own, base, LEVEL / num_comparisons)


def _read(folder: ClaimFolder) -> Judged:
    runs: dict[str, dict[int, Run]] = {}
    missing: list[tuple[Path, str]] = []
    for arm, seed, path in folder.places():
        try:
            run = read(path)
        except Unreadable as error:
            missing.append((path, str(error)))
            continue
        if run.status != "completed":
            missing.append((path, f"is {run.status}"))
        elif run.seed != seed:
            missing.append((path, f"is of seed {run.seed}"))
        else:
            runs.setdefault(arm, {})[seed] = run
    return Judged(folder, folder.declared, runs, missing)


def _cannot_tell(answers: list[Answer]) -> str:
    told = [answer.difference for answer in answers if answer.difference]
    if not told:
        return "runs are missing"
    return min(told, key=lambda difference: difference.adjusted).verdict
