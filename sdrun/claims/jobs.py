"""The jobs of a claim, and what is told of them as they are made."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console

from sdrun.claims.course import Course, Took, ended, kind
from sdrun.claims.declaration import METHOD, PRETRAIN, Declaration
from sdrun.claims.folder import ClaimFolder
from sdrun.claims.tried import Yard, forgiven
from sdrun.settings.words import counted, override, printable
from sdrun.sweeps.arms import Arms, Job
from sdrun.sweeps.declared import KEY
from sdrun.sweeps.making import Making
from sdrun.telling import tell


class Jobs:
    """Makes runs in a claim's folder: a finished one is left alone, a half-done one goes on.

    ``common``: overrides of every run; those of an arm win.
    """

    def __init__(self, claim: Declaration, folder: ClaimFolder, making: Making, common: list[str]) -> None:
        self.claim, self.folder, self.making = claim, folder, making
        self.arms, self.course = Arms(making, common), Course(claim, making.at_once)
        self.yard = Yard(self.arms, claim.tuning_seeds, claim.choose_by, f"{KEY}.choose_by")

    def make(self, step: str, jobs: list[Job]) -> None:
        """Make those that are not finished; ``step`` is what they are for.

        Raises RunError after all have been tried, where one failed.
        """
        lines = self.arms.lines(jobs)
        self.folder.add_runs(lines)
        if num := sum(self.arms.run(arm, seed) is None for arm, seed, _ in jobs):
            self._tell(f"{step}: {counted(num, 'run')}", *ended(self.making.folder))
        self.making.make(lines)

    def show(self, step: str, jobs: list[Job]) -> None:
        """Say what would be made, and how long it takes; nothing is."""
        seconds = self.making.show(self.arms.lines(jobs))
        num, took = ended(self.making.folder)
        tried = {kind(place): [time] for place, time in seconds.items() if time is not None}
        self._tell(f"{step}: {counted(len(seconds), 'run')}, as above", num, tried | dict(took))

    def attempt(self, step: str, jobs: list[Job]) -> None:
        """Make them; one that fails, such as by too high a learning rate, ends nothing."""
        with forgiven():
            self.make(step, jobs)

    def pretrain(self, seeds: Iterable[int]) -> None:
        """Make what the method starts from, where it starts from anything."""
        if jobs := self.pretraining(seeds):
            self.make("what the method starts from", jobs)

    def pretraining(self, seeds: Iterable[int]) -> list[Job]:
        """The jobs that make what the method starts from; none, where it starts from nothing."""
        return [] if self.claim.pretrain is None else [(PRETRAIN, seed, self.claim.pretrain) for seed in seeds]

    def initial(self, side: str, seed: int) -> list[str]:
        """Overrides by which a side starts from a pretrained network, which a dry run has none of."""
        if self.claim.pretrain is None or side != METHOD or self.making.is_dry:
            return []
        return [override("init_from", str(self.folder.run(PRETRAIN, seed)))]

    def of_side(self, side: str, overrides: Iterable[str] = ()) -> list[str]:
        """Overrides of a side, with further ones."""
        return [*(self.claim.method if side == METHOD else self.claim.baseline), *overrides]

    def longer(self, side: str, share: float) -> list[str]:
        """Overrides of a training of a side that is ``share`` as long as the experiment says."""
        return self.arms.longer(self.of_side(side), share)

    def before(self, side: str) -> list[str]:
        """The arm that a side starts from, if it does."""
        return [PRETRAIN] if side == METHOD and self.claim.pretrain is not None else []

    def _tell(self, step: str, num: Counter[str], took: Took) -> None:
        tell(Console(highlight=False, soft_wrap=True), "Claim", printable(f"{step}; {self.course.told(num, took)}"))
