"""How often claims are wrong, and how many seeds they need: whole claims simulated, look by look, without training.

    python scripts/simulate_claims.py [--claims 10000] [--seeds 5] [--most-seeds 20] [--margin 1.5]

A claim asks five questions of six arms, whose metric over seeds is normal with a standard deviation of 1 between paired
seeds; differences of two arms share what a seed gives both. Effects and the margin are in those standard deviations.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from scipy import stats

from sdrun.claims.looks import levels, looks
from sdrun.comparison.statistics import LEVEL

NUM_QUESTIONS = 5
DECIDING = 2
"""Of them, for which a claim goes on."""


def simulated(effects: Sequence[float], num: int, first: int, most: int, margin: float, seed: int = 0):
    """Claims whose method is better by ``effects`` [questions]: see ``ended``."""
    return ended(drawn(effects, num, most, seed), first, margin)


def drawn(effects: Sequence[float], num: int, most: int, seed: int) -> np.ndarray:
    """Differences of the method from all other arms [num, most, questions], which share what is the method's."""
    rng = np.random.default_rng(seed)
    method = rng.normal(size=(num, most, 1)) / np.sqrt(2)
    others = rng.normal(size=(num, most, len(effects))) / np.sqrt(2)
    return method - others + np.asarray(effects)


def ended(differences: np.ndarray, first: int, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """How the answers of claims end, and the seeds that they took [num].

    Outcomes [num, questions]: 1 and -1 for a difference that is shown, 2 for one that does not matter, 0 for neither.
    """
    num, most, questions = differences.shape
    outcomes, seeds, is_going = np.zeros((num, questions), int), np.full(num, most), np.ones(num, bool)
    numbers = looks(first, most)
    for n, level in zip(numbers, levels(numbers, LEVEL / (questions + 1)), strict=True):
        part = differences[:, :n]
        mean, sd = part.mean(axis=1), part.std(axis=1, ddof=1)
        half = stats.t.isf(level / 2, n - 1) * sd / np.sqrt(n)
        low, high = mean - half, mean + half
        shown = np.select([(low > -margin) & (high < margin), low > 0, high < 0], [2, 1, -1], 0)
        is_open = (outcomes == 0) & is_going[:, None]
        outcomes = np.where(is_open, shown, outcomes)
        ends = is_going & (outcomes[:, -DECIDING:] != 0).all(axis=1)
        seeds[ends], is_going = n, is_going & ~ends
    return outcomes, seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most-seeds", type=int, default=20)
    parser.add_argument("--margin", type=float, default=1.5)
    options = parser.parse_args()
    asked = (options.claims, options.seeds, options.most_seeds)
    print(f"{options.claims:,} claims, looks at {looks(*asked[1:])} seeds, margin {options.margin:g} sd\n")

    outcomes, _ = simulated([0.0] * NUM_QUESTIONS, *asked, 0.0)
    print(
        f"without effect and margin, any difference shown: {100 * (outcomes != 0).any(axis=1).mean():.2f} % of claims"
    )
    outcomes, _ = simulated([options.margin] * NUM_QUESTIONS, *asked, options.margin)
    print(
        f"of an effect as large as the margin, said not to matter: {100 * (outcomes == 2).any(axis=1).mean():.2f} %\n"
    )
    print("| effect, sd | seeds, mean | helps | no difference that matters | hurts | not decided |")
    print("|---:|---:|---:|---:|---:|---:|")
    for effect in (0.0, 0.5, 1.0, 2.0, 3.0):
        outcomes, seeds = simulated([effect] * NUM_QUESTIONS, *asked, options.margin)
        helps = outcomes[:, -DECIDING]
        shares = [f"{100 * (helps == outcome).mean():.1f} %" for outcome in (1, 2, -1, 0)]
        print(f"| {effect:g} | {seeds.mean():.1f} | {' | '.join(shares)} |")


if __name__ == "__main__":
    main()
