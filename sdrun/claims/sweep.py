"""The runs of a claim: which there are, which of them are still to be made, and what later ones take from earlier ones.

``claim.json`` in the sweep's folder says what was declared, what was chosen, and which run is where.
"""

import math
from itertools import product
from pathlib import Path
from statistics import mean

from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from sdrun.claims.declaration import EQUAL, GRID, METHOD, PLAIN, PRETRAIN, SILENT, TUNED, declaration
from sdrun.claims.folder import ClaimFolder
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
        self.common = common
        claim, seeds = self.claim, self.claim.seeds
        first: list[Job] = [(PLAIN, seed, claim.plain) for seed in seeds]
        method = [(METHOD, seed, [*claim.method, *self._initial(seed)]) for seed in seeds]
        if claim.pretrain is not None:
            first += [(PRETRAIN, seed, claim.pretrain) for seed in seeds]
        else:
            first += method
        if claim.silent is not None:
            first += [(SILENT, seed, [*claim.method, *claim.silent]) for seed in seeds]
        grid = self._grid()
        first += [(f"{GRID}/{name}", claim.tuning_seed, overrides) for name, overrides in grid.items()]
        self._launch(first)
        if self.making.is_dry:
            later = [*(method if claim.pretrain is not None else []), *[TUNED, EQUAL] * len(seeds)]
            print(f"Then {len(later)} more, which are as long as the best of the grid and the method's cost say")
            return
        tuned = grid[self._chosen(list(grid))]
        self._launch([*method, *((TUNED, seed, tuned) for seed in seeds)])
        factor = self._compute_factor()
        equal = [*self._longer(factor), *(o for o in tuned if parted(o)[0] not in LENGTH)]
        self._launch([(EQUAL, seed, equal) for seed in seeds])

    def _initial(self, seed: int) -> list[str]:
        return [override("init_from", str(self.folder.run(PRETRAIN, seed)))] if self.claim.pretrain is not None else []

    def _grid(self) -> dict[str, list[str]]:
        """Overrides by name."""
        grid, overrides = self.claim.grid, {}
        lengths = {share: self._longer(share) for share in grid.epochs}
        for share, view, smoothing in product(grid.epochs, grid.view, grid.label_smoothing):
            settings = [f"method.view={view}", f"method.label_smoothing={smoothing:g}", "optim.select=best"]
            name = f"epochs_{share:g}-{view}-smoothing_{smoothing:g}"
            overrides[name] = [*self.claim.plain, *lengths[share], *settings]
        return overrides

    def _longer(self, share: float) -> list[str]:
        """Plain training that is ``share`` as long."""
        plain = self.making.compositions.settings([*self.common, *self.claim.plain])
        lengths = {key: plain[key] for key in LENGTH}
        return [f"{key}={math.ceil(share * value - 1e-9)}" for key, value in lengths.items() if value is not None]

    def _chosen(self, names: list[str]) -> str:
        """The best of the grid."""
        seed, metric = self.claim.tuning_seed, self.claim.choose_by
        runs = {name: self._run(f"{GRID}/{name}", seed) for name in names}
        metrics = {name: run.metric(metric) for name, run in runs.items()}
        scores = {name: score for name, score in metrics.items() if score is not None}
        lacking = [name for name in names if name not in scores]
        require(not lacking, "hydra.sweeper.choose_by", f"{metric} is not among the metrics of {', '.join(lacking)}")
        is_lower = lookup(metric, runs[names[0]].declared).better is Better.lower
        chosen = (min if is_lower else max)(names, key=lambda name: scores[name])
        self.folder.note(grid=scores, chosen=chosen)
        return chosen

    def _compute_factor(self) -> float:
        """Multiply-adds of the method's training, pretraining included, over those of the plain one."""
        arms = [METHOD, PRETRAIN] if self.claim.pretrain is not None else [METHOD]

        def cost(arm: str) -> float:
            return mean(self._multiply_adds(self._run(arm, seed)) for seed in self.claim.seeds)

        factor = sum(map(cost, arms)) / cost(PLAIN)
        self.folder.note(compute_factor=factor)
        return factor

    def _run(self, arm: str, seed: int) -> Run:
        run = self.folder.finished(arm, seed)
        if run is None:
            raise InputError(f"{self.folder.run(arm, seed)} is not finished; start the sweep again")
        return run

    def _multiply_adds(self, run: Run) -> float:
        cost = run.summary.get("compute", {}).get("multiply_adds", 0)
        require(cost > 0, str(run.path / "summary.json"), "says nothing of its multiply-adds; move the run away")
        return cost

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
