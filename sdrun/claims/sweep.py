"""A claim from its declaration to its end.

First both sides are tuned, then what was chosen is run on the paired seeds, look by look, until the claim is decided.
``claim.json`` in the sweep's folder says what was declared, what was chosen, and which run is where.
"""

from pathlib import Path

from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from sdrun.claims.declaration import METHOD, declaration
from sdrun.claims.folder import ClaimFolder
from sdrun.claims.jobs import Jobs
from sdrun.claims.looks import looks
from sdrun.claims.members import Member, chosen
from sdrun.claims.tuning import Tuning
from sdrun.claims.verdicts import judged
from sdrun.sweeps.arms import Job, validation
from sdrun.sweeps.declared import KEY
from sdrun.sweeps.making import Making

UNDECLARED = ("_target_", "resumes", "dry_run", "reuse")
"""What stands beside a declaration."""


class Sweep:
    """Makes the runs of a claim, each once."""

    def __init__(self, context: HydraContext, config: DictConfig, launcher: Launcher) -> None:
        node = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
        assert isinstance(node, dict)
        self.claim = declaration({str(key): value for key, value in node.items() if key not in UNDECLARED})
        self.making = Making(context, config, launcher, is_new=False)
        self.folder = ClaimFolder.begin(Path(config.hydra.sweep.dir), self.claim)

    def run(self, common: list[str]) -> None:
        """``common``: overrides of the command line, for every run; those of an arm win.

        Raises InputError where settings do not suit each other, and RunError where a run on paired seeds fails.
        """
        held_out = validation(self.making, common, self.claim.baseline, self.claim.val_size, f"{KEY}.val_size")
        jobs = Jobs(self.claim, self.folder, self.making, ["pictures=false", *common, *held_out])
        tuning = Tuning(jobs)
        tuning.require_settings(list(self.claim.controls.values()))
        if self.making.is_dry:
            tuning.show()
            return
        tuned = tuning.tuned()
        extended = tuning.extended(tuned)
        jobs.course.is_extended = bool(extended)
        ladder = {member.name: member for member in (*tuned, *extended)}
        roles = chosen(tuned, extended)
        self.folder.note(members={name: member.to_json() for name, member in ladder.items()}, chosen=roles)
        self._decide(jobs, ladder, ladder[roles[METHOD]])

    def _decide(self, jobs: Jobs, ladder: dict[str, Member], method: Member) -> None:
        """Run on paired seeds, look by look, until the claim is decided."""
        lines = {name: (member.side, member.overrides) for name, member in ladder.items()}
        lines |= {arm: (METHOD, [*method.overrides, *further]) for arm, further in self.claim.controls.items()}
        asked, made = set(lines), 0
        for number in looks(self.claim.seeds, self.claim.most_seeds):
            seeds, jobs.course.num_seeds = range(made, number), number
            jobs.pretrain(seeds)
            new: list[Job] = []
            for arm, (side, overrides) in lines.items():
                if arm in asked:
                    line = jobs.of_side(side, overrides)
                    new += [(arm, seed, [*line, *jobs.initial(side, seed)]) for seed in seeds]
            jobs.make(f"paired seeds, {number} of {self.claim.most_seeds} at most", new)
            (state,) = judged([ClaimFolder.open(self.folder.path)])
            if state.is_decided:
                return
            asked, made = state.open_arms, number
