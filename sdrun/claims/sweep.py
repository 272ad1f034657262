"""The runs of a claim: which there are, which of them are still to be made, and what later ones take from earlier ones.

First both sides are tuned, then what was chosen is run on the paired seeds, look by look, until the claim is decided.
``claim.json`` in the sweep's folder says what was declared, what was chosen, and which run is where.
"""

import math
from pathlib import Path
from statistics import mean

from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from sdrun.claims import members
from sdrun.claims.declaration import (
    BASELINE,
    LABELS,
    METHOD,
    PRETRAIN,
    SIDES,
    SILENT,
    UNINFORMED,
    declaration,
)
from sdrun.claims.folder import ClaimFolder
from sdrun.claims.looks import looks
from sdrun.claims.members import Member
from sdrun.claims.trials import num_tuning_runs, rungs, trials
from sdrun.claims.verdicts import judged
from sdrun.comparison.runs import Run
from sdrun.errors import InputError, require
from sdrun.judges.metric import Better, lookup
from sdrun.settings.words import override, parted
from sdrun.sweeps.estimate import LENGTH
from sdrun.sweeps.making import Making

UNDECLARED = ("_target_", "resumes", "dry_run", "reuse")
"""What stands beside a declaration."""

Job = tuple[str, int, list[str]]
"""An arm, a seed, and the overrides of the experiment."""


class Sweep:
    """Makes the runs of a claim, each once: a finished one is left alone, a half-done one goes on."""

    def __init__(self, context: HydraContext, config: DictConfig, launcher: Launcher) -> None:
        node = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
        assert isinstance(node, dict)
        self.claim = declaration({str(key): value for key, value in node.items() if key not in UNDECLARED})
        self.making = Making(context, config, launcher, is_new=False)
        self.folder = ClaimFolder.begin(Path(config.hydra.sweep.dir), self.claim)
        self.common: list[str] = []

    def run(self, common: list[str]) -> None:
        """``common``: overrides of the command line, for every run; those of an arm win.

        Raises RunError where a run fails.
        """
        self.common = ["pictures=false", *common, *self._validation(common)]
        self.tuning = {side: trials(self.claim, side) for side in SIDES}
        if self.making.is_dry:
            self._launch(self._tuning(0, {side: list(range(self.claim.trials)) for side in SIDES}))
            num_runs = 2 * num_tuning_runs(self.claim)
            print(f"These are the first of {num_runs} runs that tune both sides; paired seeds follow")
            return
        tuned = self._tuned()
        extended = self._extended(tuned)
        ladder, chosen = [*tuned, *extended], members.chosen(tuned, extended)
        self.folder.note(members={member.name: member.to_json() for member in ladder}, chosen=chosen)
        self._decide({member.name: member for member in ladder}, chosen)

    def _validation(self, common: list[str]) -> list[str]:
        """As many items for validation as there are labels, at most: who has few would not have more to tune on."""
        plain = self.making.compositions.settings([*common, *self.claim.baseline])
        labels = plain["dataset.num_labels"] or plain["dataset.train_size"]
        most = self.claim.val_size or labels
        return [f"dataset.val_size={most}"] if most and most < plain["dataset.val_size"] else []

    def _tuned(self) -> list[Member]:
        """The best of each side at each length."""
        ladder = []
        left = {side: list(range(self.claim.trials)) for side in SIDES}
        for place, (length, num) in enumerate(zip(self.claim.lengths, rungs(self.claim), strict=True)):
            left = {side: numbers[:num] for side, numbers in left.items()}
            self._launch(self._tuning(place, left))
            for side in SIDES:
                arms = {number: self._trial(side, place, number) for number in left[side]}
                scores = {number: self._score(arm) for number, arm in arms.items()}
                left[side] = sorted(scores, key=lambda number: scores[number], reverse=True)
                best = left[side][0]
                line = [*self.tuning[side][best], *self._longer(side, length)]
                tried = {str(number): self._sign * score for number, score in sorted(scores.items())}
                name = f"{side}_x{length:g}"
                ladder.append(Member(name, side, length, line, scores[best], self._cost(side, arms[best]), tried))
        return ladder

    def _extended(self, tuned: list[Member]) -> list[Member]:
        """The baseline's best, trained for as long as the method's best takes, if that is longer."""
        method, base = (members.leading(tuned, side) for side in (METHOD, BASELINE))
        if method.cost <= base.cost:
            return []
        length = base.length * method.cost / base.cost
        line = [word for word in base.overrides if parted(word)[0] not in LENGTH]
        line += self._longer(BASELINE, length)
        name = f"{BASELINE}_x{length:.3g}"
        arm = f"tuning/{name}"
        self._launch([(arm, seed, [*self.claim.baseline, *line]) for seed in self.claim.tuning_seeds])
        return [Member(name, BASELINE, length, line, self._score(arm), self._cost(BASELINE, arm), {})]

    def _decide(self, ladder: dict[str, Member], chosen: dict[str, str]) -> None:
        """Run on paired seeds, look by look, until the claim is decided."""
        claim = self.claim
        method = [*claim.method, *ladder[chosen[METHOD]].overrides]
        controls = {SILENT: claim.silent, UNINFORMED: claim.uninformed, LABELS: claim.labels}
        lines = {name: [*getattr(claim, member.side), *member.overrides] for name, member in ladder.items()}
        lines |= {arm: [*method, *further] for arm, further in controls.items() if further is not None}
        asked = set(lines)
        for number in looks(claim.seeds, claim.most_seeds):
            if claim.pretrain is not None:
                self._launch([(PRETRAIN, seed, claim.pretrain) for seed in range(number)])
            jobs: list[Job] = []
            for arm in (arm for arm in lines if arm in asked):
                of_method = arm in controls or ladder[arm].side == METHOD
                jobs += [(arm, seed, [*lines[arm], *self._initial(of_method, seed)]) for seed in range(number)]
            self._launch(jobs)
            (state,) = judged([ClaimFolder.open(self.folder.path)])
            if state.is_decided:
                return
            asked = state.open_arms

    def _tuning(self, place: int, numbers: dict[str, list[int]]) -> list[Job]:
        """The trials of both sides at the length number ``place``, on all tuning seeds."""
        length, seeds = self.claim.lengths[place], self.claim.tuning_seeds
        if self.claim.pretrain is not None and place == 0 and not self.making.is_dry:
            self._launch([(PRETRAIN, seed, self.claim.pretrain) for seed in seeds])
        jobs: list[Job] = []
        for side in SIDES:
            longer = self._longer(side, length)
            for number in numbers[side]:
                line = [*getattr(self.claim, side), *self.tuning[side][number], *longer]
                arm = self._trial(side, place, number)
                jobs += [(arm, seed, [*line, *self._initial(side == METHOD, seed)]) for seed in seeds]
        return jobs

    def _trial(self, side: str, place: int, number: int) -> str:
        return f"tuning/{side}_x{self.claim.lengths[place]:g}_{number:02d}"

    def _initial(self, of_method: bool, seed: int) -> list[str]:
        if self.claim.pretrain is None or not of_method:
            return []
        return [override("init_from", str(self.folder.run(PRETRAIN, seed)))]

    def _longer(self, side: str, share: float) -> list[str]:
        """A side's training that is ``share`` as long."""
        plain = self.making.compositions.settings([*self.common, *getattr(self.claim, side)])
        lengths = {key: plain[key] for key in LENGTH}
        return [f"{key}={math.ceil(share * value - 1e-9)}" for key, value in lengths.items() if value is not None]

    def _score(self, arm: str) -> float:
        """The mean over tuning seeds of what trials are chosen by; the larger one is the better."""
        key = self.claim.choose_by
        metrics = [self._run(arm, seed).metric(key) for seed in self.claim.tuning_seeds]
        values = [value for value in metrics if value is not None]
        require(len(values) == len(metrics), "hydra.sweeper.choose_by", f"{key} is not among the metrics of {arm}")
        return self._sign * mean(values)

    @property
    def _sign(self) -> int:
        run = self._run(self._trial(BASELINE, 0, 0), self.claim.tuning_seeds[0])
        return -1 if lookup(self.claim.choose_by, run.declared).better is Better.lower else 1

    def _cost(self, side: str, arm: str) -> float:
        """Multiply-adds of a training, earlier stages and pretraining included, mean over tuning seeds."""
        arms = [arm, PRETRAIN] if side == METHOD and self.claim.pretrain is not None else [arm]
        return sum(mean(_multiply_adds(self._run(arm, seed)) for seed in self.claim.tuning_seeds) for arm in arms)

    def _run(self, arm: str, seed: int) -> Run:
        run = self.folder.finished(arm, seed)
        if run is None:
            raise InputError(f"{self.folder.run(arm, seed)} is not finished; start the sweep again")
        return run

    def _launch(self, jobs: list[Job]) -> None:
        """Make those runs that are not finished. Raises RunError after all have been tried, where one failed."""
        lines = {}
        for arm, seed, overrides in jobs:
            place = str(self.folder.run(arm, seed).relative_to(self.folder.path))
            lines[place] = [*self.common, *overrides, f"seed={seed}"]
        for line in lines.values():
            self.making.compositions.settings(line)  # raises before anything is launched
        if not self.making.is_dry:
            self.folder.add_runs(lines)
        self.making.make(lines)


def _multiply_adds(run: Run) -> float:
    cost = run.summary.get("compute", {}).get("multiply_adds", 0)
    require(cost > 0, str(run.path / "summary.json"), "says nothing of its multiply-adds; move the run away")
    return cost
