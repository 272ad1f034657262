"""How long a sweep still takes, by those of its jobs that ended, and by what those that run say. Imports no torch."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from sdrun.settings.words import clock, parted

Kind = frozenset[str]

MEANINGLESS = ("seed", "init_from")
"""Ends of keys whose value changes nothing of how long a job takes."""


def kind(overrides: Iterable[str]) -> Kind:
    """Equal for jobs that take as long, to all appearances: seeds and fractions do not count.

    >>> kind(["seed=1", "generations=2", "optim.lr=0.1"])
    frozenset({'generations=2'})
    """
    return frozenset(word for word in overrides if not (parted(word)[0].endswith(MEANINGLESS) or _is_fraction(word)))


def _is_fraction(word: str) -> bool:
    value = parted(word)[1]
    try:
        float(value)
    except ValueError:
        return False
    return not value.isdigit()


class Remaining:
    """Of jobs by name, so many ``at_once``. What a kind of them takes is the mean of those that ended."""

    def __init__(self, kinds: Mapping[str, Kind], at_once: int) -> None:
        self.kinds, self.at_once = kinds, at_once
        self.took: dict[Kind, list[float]] = {}

    def ended(self, name: str, seconds: float) -> None:
        """A job was completed."""
        kind = self.kinds[name]
        self.took = {**self.took, kind: [*self.took.get(kind, []), seconds]}

    def told(self, running: Mapping[str, tuple[float, float | None]], queued: Sequence[str]) -> str:
        """What is left, in words; nothing where nothing tells. Parameters are those of ``seconds``.

        A job of another kind than all that were seen may take longer than any of these.
        """
        seconds = self.seconds(running, queued)
        if seconds is None or round(seconds) == 0:
            return ""
        seen = {*self.took, *(self.kinds.get(name, Kind()) for name in running)}
        is_known = all(self.kinds.get(name, Kind()) in seen for name in queued)
        return f"{'about' if is_known else 'at least'} {clock(seconds)} left"

    def seconds(self, running: Mapping[str, tuple[float, float | None]], queued: Sequence[str]) -> float | None:
        """What is left; None while nothing tells.

        ``running``: for how long a job has run, and what it says is left of it.
        """
        took = self.took
        guesses = [since + left for since, left in running.values() if left is not None]
        every = [seconds for of_kind in took.values() for seconds in of_kind] or guesses
        if not every:
            return None
        means, mean = {kind: fmean(of_kind) for kind, of_kind in took.items()}, fmean(every)
        expected = {name: means.get(self.kinds.get(name, Kind()), mean) for name in (*running, *queued)}
        lefts = [max(0.0, expected[name] - since) if left is None else left for name, (since, left) in running.items()]
        lefts += [expected[name] for name in queued]
        return max(sum(lefts) / self.at_once, max(lefts, default=0.0))
