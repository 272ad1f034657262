"""Folders as nobody but an enemy, or a broken disk, leaves them: seeded random changes, and every verb that reads them.

A verb may refuse in words or leave out what it cannot read. It may never end in a traceback, write outside of the
folders that it was told to write to, run what a file says, or send a terminal what a file holds for it.
"""

import os
import random
import resource
import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from folders import made_run, predicted

import helpers
from faults.changes import SCRIPT, Changes, seal
from faults.child import Case, Ending, done, sdrun
from faults.figures import FAILED, Figures


class Hostile:
    """Sources that are whole, an outside that must stay as it is, and a place for changed copies."""

    def __init__(self, folder: Path, claim: Path) -> None:
        self.folder = folder
        self.outside = folder / "outside"
        self._outside_again()
        self.changes = Changes(self.outside)
        self.work = folder / "work"
        self.sources = folder / "sources"
        case = Case.of("method=born_again", "generations=2", "optim.select=best", "optim.epochs=1")
        case.undisturbed(self.sources / "run/run")
        sweep = self.sources / "sweep"
        for number, (method, seed) in enumerate(product(("supervised", "born_again"), range(3))):
            path = made_run(sweep / str(number), seed, 0.8 + number / 100, method)
            predicted(path, np.random.default_rng(number).random(200) < 0.8)
        (sweep / "multirun.yaml").write_text("hydra: {}\n")
        shutil.copytree(claim, self.sources / "claim/claim")

    def one(self, kind: str, seed: int, figures: Figures, verbs: Sequence[tuple[str, ...]] = ()) -> None:
        """Change a copy of one source, and call every verb that reads its kind."""
        for verb in verbs or VERBS[kind]:
            chance = random.Random(f"{kind} {seed}")
            shutil.rmtree(self.work, ignore_errors=True)
            shutil.copytree(self.sources / kind, self.work / kind)
            changes = [self.changes.one(self.work / kind, chance) for _ in range(chance.choice([1, 1, 2, 4]))]
            if chance.random() < 0.5:
                seal(self.work / kind)
            words = [word.replace("%", str(self._target(kind))) for word in verb]
            ending = done(lambda words=words: self._call(words), limit=20)
            reason = self._reason(ending)
            row = " ".join(verb[:2] if verb[1] == "--repair" else verb[:1]).partition("=")[0]
            figures.add(row, self._outcome(ending, reason), f"seed {seed}, sdrun {' '.join(verb)}, {changes}: {reason}")

    def _outside_again(self) -> None:
        """Make what must stay as it is."""
        shutil.rmtree(self.outside, ignore_errors=True)
        (self.outside / "folder").mkdir(parents=True)
        for name in ("file", "folder/inner"):
            (self.outside / name).write_text("mine\n")
        self.before = helpers.tree(self.outside)

    def _target(self, kind: str) -> Path:
        inner = {"run": "run", "sweep": "", "claim": "claim"}[kind]
        return self.work / kind / inner

    def _call(self, arguments: list[str]) -> int:
        os.chdir(self.work)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (3 << 30), resource.RLIM_INFINITY))
        return sdrun(*arguments)

    def _reason(self, ending: Ending) -> str:
        after = helpers.tree(self.outside)
        if after != self.before:
            changed = [name for name in {**self.before, **after} if self.before.get(name) != after.get(name)]
            self._outside_again()
            return f"wrote outside: {changed}"
        if fault := ending.fault():
            return fault
        if "\x1b]0;" in ending.text or "\x1b[2J" in ending.text:
            return "an escape sequence reached the terminal"
        pages = [*self.work.glob("*.html"), *self.work.glob("*.md")]
        if any(SCRIPT in page.read_text(errors="replace") for page in pages):
            return "a script reached the page"
        return ""

    @staticmethod
    def _outcome(ending: Ending, reason: str) -> str:
        return FAILED if reason else {0: "read", 1: "refused, exit 1", 2: "refused, exit 2"}[ending.code]


VERBS: dict[str, list[tuple[str, ...]]] = {
    "run": [
        ("show", "%"),
        ("doctor", "%"),
        ("list", "%/.."),
        ("list", "%/..", "--where", "seed=0", "--format", "json"),
        ("compare", "%/.."),
        ("report", "%/..", "-o", "report.html"),
        ("resume", "%"),
        ("resume", "--repair", "%"),
        ("evaluate", "%"),
        ("init_from=%", "method=supervised", *helpers.SMALL, "optim.epochs=1", "hydra.run.dir=new"),
    ],
    "sweep": [
        ("list", "%"),
        ("list", "%", "--format", "csv", "--sort", "seed"),
        ("compare", "%", "--format", "html"),
        ("compare", "%/*", "--metric", "test/accuracy"),
        ("report", "%", "-o", "report.html"),
        ("show", "%/0"),
    ],
    "claim": [
        ("claims", "%"),
        ("claims", "%", "--keep", "kept", "-o", "page.md"),
        ("report", "%", "-o", "report.html"),
        ("list", "%"),
        ("compare", "%/method", "%/plain"),
    ],
}


def campaign(hostile: Hostile, kind: str, seeds: range) -> Figures:
    figures = Figures(f"Hostile folders: {kind}")
    for seed in seeds:
        hostile.one(kind, seed, figures)
    return figures
