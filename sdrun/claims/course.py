"""How many runs a claim needs, at least and at most, and how long they take by those that ended."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from statistics import mean

from sdrun.claims.declaration import BASELINE, METHOD, PRETRAIN, SIDES, Declaration
from sdrun.claims.members import EXTENDED
from sdrun.claims.trials import rungs
from sdrun.settings.words import clock
from sdrun.storage.documents import Unreadable, read_json
from sdrun.storage.sweeps import SweepFolder

Took = Mapping[str, list[float]]
"""Seconds of the runs of a kind."""

TRIAL = re.compile(r"(tuning/\w+_x.+)_\d+")
OF_LENGTH = re.compile(rf"(?:tuning/)?({BASELINE}|{METHOD})_x(.+)")


def kind(place: str) -> str:
    """Of runs that take as long: an arm, and of trials all of a side and length.

    >>> kind("tuning/method_x0.5_03/seed_100"), kind("silent/seed_2")
    ('tuning/method_x0.5', 'silent')
    """
    arm = place.rpartition("/")[0]
    trial = TRIAL.fullmatch(arm)
    return trial[1] if trial else arm


def ended(folder: SweepFolder) -> tuple[Counter[str], Took]:
    """How many runs of each kind are over, and what those took that were completed."""
    num, took = Counter[str](), defaultdict[str, list[float]](list)
    for place, job in folder.jobs.items():
        if job.status not in ("completed", "failed"):
            continue
        num[kind(place)] += 1
        with suppress(Unreadable, LookupError, TypeError, ValueError):
            seconds = float(read_json(folder.path / place / "summary.json")["wall_seconds"])
            took[kind(place)].append(seconds)
    return num, took


class Course:
    """``num_seeds``: of the paired ones, so many at least; ``is_extended``: whether a baseline is trained for as much
    compute as the method, None while that is open.
    """

    def __init__(self, claim: Declaration, at_once: int) -> None:
        self.claim, self.at_once = claim, at_once
        self.num_seeds = claim.seeds
        self.is_extended: bool | None = None

    def told(self, num: Counter[str], took: Took) -> str:
        """How many runs there are in all, and how long those take that are left. ``num``, ``took``: see ``ended``."""
        least = self.runs(self.num_seeds, is_extended=self.is_extended is True)
        most = self.runs(self.claim.most_seeds, is_extended=self.is_extended is not False)
        text = f"{_span(f'{least.total():,}', f'{most.total():,}')} in all"
        lefts = [self._seconds(runs - num, took) for runs in (least, most)]
        times = [clock(seconds) for seconds in lefts if seconds is not None]
        how_long = f", about {_span(*times)} left" if len(times) == len(lefts) else "; --dry-run tells how long"
        return text + how_long

    def runs(self, num_seeds: int, is_extended: bool) -> Counter[str]:
        """How many there are of each kind, with so many paired seeds."""
        claim = self.claim
        num_tuning, runs = len(claim.tuning_seeds), Counter[str]()
        for length, num in zip(claim.lengths, rungs(claim), strict=True):
            for side in SIDES:
                runs[f"tuning/{side}_x{length:g}"] = num * num_tuning
                runs[f"{side}_x{length:g}"] = num_seeds
        if claim.pretrain is not None:
            runs[PRETRAIN] = num_tuning + num_seeds
        if is_extended:
            runs[f"tuning/{EXTENDED}"], runs[EXTENDED] = num_tuning, num_seeds
        return runs + Counter(dict.fromkeys(claim.controls, num_seeds))

    def _seconds(self, left: Counter[str], took: Took) -> float | None:
        known = [num * each for of, num in left.items() if (each := self._expected(of, took)) is not None]
        return sum(known) / self.at_once if len(known) == len(left) else None

    def _expected(self, of: str, took: Took) -> float | None:
        """What a run of a kind takes: as those that ended, or in proportion to the length as those of its side.

        Controls, and what is trained for as much compute as the method, take what the method takes at the most.
        """
        if took.get(of):
            return mean(took[of])
        side, length = _side(of) or (METHOD, self.claim.lengths[-1])
        measured = {other: at for other, seconds in took.items() if seconds and (at := _side(other))}
        paces = [mean(took[other]) / of_other for other, (whose, of_other) in measured.items() if whose == side]
        return mean(paces) * length if paces else None


def _side(of: str) -> tuple[str, float] | None:
    """The side and the length of a kind of runs."""
    match = OF_LENGTH.fullmatch(of)
    return (match[1], float(match[2])) if match else None


def _span(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"
