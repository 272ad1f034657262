"""Bags of words of three subjects, made up: each subject has words that it prefers."""

import numpy as np

from sdrun.data.labelled import Labelled, Published
from sdrun.settings import Item
from sdrun.tasks.bags.settings import BagsSettings

SUBJECTS = ["weather", "trade", "sport"]
NUM_WORDS, LENGTH = 24, 12


def load(settings: BagsSettings) -> Published:
    random = np.random.default_rng(0)
    chances = random.dirichlet(np.full(NUM_WORDS, 0.5), len(SUBJECTS))
    train, test = (_bags(chances, num, random) for num in (300, 120))
    return Published(train, test, SUBJECTS, Item("bags", (NUM_WORDS,)))


def _bags(chances: np.ndarray, num: int, random: np.random.Generator) -> Labelled:
    labels = random.integers(0, len(SUBJECTS), num)
    return Labelled({"counts": random.multinomial(LENGTH, chances[labels])}, labels)
