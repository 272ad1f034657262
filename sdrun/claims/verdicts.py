"""What the runs of claims tell: whether a teacher is alive and informed, and whether it helps."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sdrun.claims.answers import Answer, answered
from sdrun.claims.declaration import BASELINE, DECIDING, METHOD, SIDES, Contrast, Declaration
from sdrun.claims.folder import ClaimFolder
from sdrun.claims.looks import levels, looks
from sdrun.claims.members import EXTENDED, Member, best, from_json
from sdrun.comparison.declared import together
from sdrun.comparison.differences import Cell, Difference, cell, difference
from sdrun.comparison.runs import Run, read
from sdrun.comparison.statistics import LEVEL
from sdrun.judges.metric import Metric, lookup
from sdrun.settings.words import printable
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable


@dataclass(frozen=True)
class Rung:
    """A budget in multiply-adds, and the best of the method that it affords against that of the baseline."""

    budget: float
    answer: Answer


@dataclass
class Judged:
    """A claim with its finished runs by arm and seed. ``missing``: what is not finished, with the reason."""

    folder: ClaimFolder
    claim: Declaration
    runs: dict[str, dict[int, Run]]
    missing: list[tuple[Path, str]]
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return printable(self.folder.name)

    @cached_property
    def declared(self) -> dict[str, Metric]:
        """What the metrics of all runs mean, by name."""
        return together(run.declared for runs in self.runs.values() for run in runs.values())

    @cached_property
    def metric(self) -> Metric:
        """The one that decides."""
        return lookup(self.claim.metric, self.declared)

    @cached_property
    def members(self) -> list[Member]:
        """Those that were chosen, of both sides; none before all are tuned."""
        return from_json(self.folder.content.get("members", {}))

    @cached_property
    def chosen(self) -> Mapping[str, str]:
        """Names of members by role: ``method``, ``baseline`` and ``equal``."""
        return self.folder.content.get("chosen", {})

    def member(self, role: str) -> Member | None:
        return next((member for member in self.members if member.name == self.chosen.get(role)), None)

    @property
    def is_decided(self) -> bool:
        return all(self.answers[name].is_decided for name in DECIDING)

    @property
    def open_arms(self) -> set[str]:
        """Arms that need more seeds."""
        contrasts = [answer.contrast for answer in self.answers.values() if not answer.is_decided]
        sides = {side.partition(":")[0] for contrast in contrasts for side in (contrast.left, contrast.right)}
        return {self.chosen.get(arm, arm) for arm in sides}

    @property
    def num_seeds(self) -> int:
        """Paired seeds that the deciding answers rest on."""
        answers = [self.answers[name].difference for name in DECIDING]
        return max((answer.paired.n for answer in answers if answer), default=0)

    @property
    def price(self) -> float | None:
        """Multiply-adds of the method over those of the tuned baseline."""
        method, base = self.member(METHOD), self.member(BASELINE)
        return method.cost / base.cost if method and base else None

    @cached_property
    def ladder(self) -> list[Rung]:
        """Every budget that affords both sides. Its answers share what one question has of the level."""
        pairs: dict[tuple[str, str], float] = {}
        for budget in sorted(member.cost for member in self.members):
            base, method = (best(self.members, side, budget) for side in SIDES)
            if base and method:
                pairs.setdefault((method.name, base.name), budget)
        level = self.level / max(1, len(pairs))
        return [Rung(b, self.answer(Contrast(*pair, self.claim.metric), level)) for pair, b in pairs.items()]

    @property
    def level(self) -> float:
        """What each question has of the level of the claim, and the ladder as one more."""
        return LEVEL / (len(self.claim.questions()) + 1)

    @property
    def unit(self) -> float:
        """Multiply-adds of the cheapest baseline."""
        return min((member.cost for member in self.members if member.side == BASELINE), default=1.0)

    @property
    def is_extended(self) -> bool:
        """Whether the baseline was also trained for as much compute as the method."""
        return any(member.name == EXTENDED for member in self.members)

    @property
    def pays_from(self) -> Rung | None:
        """The smallest budget from which on the method is better at each."""
        paying = None
        for rung in reversed(self.ladder):
            if not rung.answer.is_better:
                break
            paying = rung
        return paying

    def cells(self, arm: str, metrics: list[str]) -> dict[str, Cell]:
        """Metrics of an arm over its paired seeds."""
        return {metric: value for metric in metrics if (value := cell(self.values(arm, metric)))}

    def paired_runs(self, arm: str) -> dict[int, Run]:
        """Runs on paired seeds of an arm, or of the member that has a role."""
        runs = self.runs.get(self.chosen.get(arm, arm), {})
        return {seed: run for seed, run in runs.items() if seed < self.claim.most_seeds}

    def values(self, side: str, metric: str, num: int | None = None) -> dict[int, float]:
        """By paired seed, of the first ``num``, of a side such as ``method`` or ``method:ensemble``."""
        arm, colon, stage = side.partition(":")
        name = f"{stage}:{metric}" if colon else metric
        runs = self.paired_runs(arm)
        return {
            seed: value
            for seed, run in runs.items()
            if (num is None or seed < num) and (value := run.metric(name)) is not None
        }

    def difference(self, contrast: Contrast, level: float, num: int | None = None) -> Difference | None:
        """Over the seeds that both sides have, which are two at least, or else None."""
        own, base = (self.values(side, contrast.metric, num) for side in (contrast.left, contrast.right))
        if len(own.keys() & base.keys()) < 2:
            return None
        return difference(lookup(contrast.metric, self.declared), own, base, level)

    def answer(self, contrast: Contrast, level: float) -> Answer:
        """Look by look, until one decides. ``level``: that of all looks together."""
        numbers = looks(self.claim.seeds, self.claim.most_seeds)
        margin = self.claim.margin if lookup(contrast.metric, self.declared) == self.metric else None
        looked_at = zip(numbers, levels(numbers, level), strict=True)
        return answered(contrast, margin, looked_at, lambda num, share: self.difference(contrast, share, num))

    @property
    def minutes(self) -> float:
        """CPU-minutes of all runs, those of tuning included: wall time by the number of threads."""
        runs = [run for arm in self.runs.values() for run in arm.values()]
        seconds = [
            run.summary.get("wall_seconds", 0) * run.manifest.get("hardware", {}).get("threads", 1) for run in runs
        ]
        return sum(seconds) / 60


def judged(folders: list[ClaimFolder]) -> list[Judged]:
    """All claims; the answers of each hold together, over all looks, at ``LEVEL``."""
    claims = [_read(folder) for folder in folders]
    for claim in claims:
        questions = claim.claim.questions()
        claim.answers = {name: claim.answer(asked, claim.level) for name, asked in questions.items()}
    return claims


def _read(folder: ClaimFolder) -> Judged:
    runs: dict[str, dict[int, Run]] = {}
    missing: list[tuple[Path, str]] = []
    for arm, seed, path in folder.places():
        if not os.path.lexists(path / manifests.FILE):
            missing.append((path, "not begun"))
            continue
        try:
            run = read(path)
        except Unreadable as error:
            missing.append((path, str(error)))
            continue
        if run.status != "completed":
            missing.append((path, run.status))
        elif run.seed != seed:
            missing.append((path, f"of seed {run.seed}"))
        else:
            runs.setdefault(arm, {})[seed] = run
    return Judged(folder, folder.declared, runs, missing)
