"""A folder in which what the documentation shows is typed; what a reader would have lies there by the names in it."""

import os
import re
import runpy
from collections.abc import Callable
from pathlib import Path

from datasets.test_sources import write_cifar
from documented import ROOT, words
from owned import table, vectors
from pictured import images, pixels, save
from plugins.labs import unplugged
from tasks.text.ratings import zipped
from tasks.text.tables import table as texts

from helpers import write_idx
from sdrun.tasks.images.sources.cifar10 import FILES as CIFAR

CLASSES = [f"is_{digit}" for digit in range(3)]

FEW = {
    "optim.epochs": "1",
    "optim.batch_size": "20",
    "hardware.threads": "1",
    "hardware.device": "cpu",
    "log_every": "1",
    "pictures": "false",
}
STEPS, PLACE = "optim.max_steps", "hydra.sweep.dir="
FEW_LABELS, PERIODS = "dataset.num_labels", "dataset.stream.periods"
FASHION = {"dataset.root": "IDX_FOLDER", "dataset.train_size": "60", "dataset.val_size": "40"}
SMALL = {
    "digits": {"dataset.train_size": "60", "dataset.val_size": "40"},
    "fashion_mnist": FASHION,
    "mnist": FASHION,
    "cifar10": {"dataset.val_size": "20"},
    "sentences": {"dataset.train_size": "60", "dataset.val_size": "40"},
    "text_csv": {"dataset.val_size": "10"},
    "vader": {"dataset.root": "ARCHIVE", "dataset.val_size": "20"},
}
"""Of the datasets, all others being as small as they are made."""

EXPERIMENT = {**FASHION, "dataset.num_labels": "40"}
"""Of experiments, which are all on Fashion-MNIST."""

RUNS = {
    "RUN_FOLDER": "dataset=image_folder dataset.root=FOLDER",
    "TEXT_RUN": "dataset=text_csv dataset.root=FILE.csv",
    "TEACHER_RUN": "method=supervised",
    "REFINE_RUN": "method=refine dataset.label_noise=0.3",
    "DINO_RUN": "experiment=dino_fashion_mnist",
    "RUNS": "-m experiment=few_labels_fashion_mnist seed=0 init_from=null,DINO_RUN",
}
"""What pages call runs that a reader has, and the commands that make them."""

SWEEP = "-m method=born_again,supervised seed=0,1,2,3,4"
SWEPT = ("outputs/sweeps/VERSION", "SWEEP")
"""What a page calls the sweep that it has made last."""


def fill(folder: Path) -> None:
    """Make all that a reader would have: images, texts, numbers, archives."""
    for name in ("FOLDER", "other_folder"):
        images(folder / name, *CLASSES, num=20)
    for number, file in enumerate(("photo.jpg", "other_photos/a.jpg", "photos/b.jpg")):
        save(folder / file, pixels(number))
    for people in ("elves", "orcs"):
        images(folder / "UNITS" / people, *(f"unit_{number}-" for number in range(20)), num=2)
    for name in ("FILE.csv", "other.csv", "new.csv"):
        (folder / name).write_text(texts())
    table(folder / "TABLE.csv", *vectors(), header="a,b,c,d,species")
    for number in range(2):
        images(folder / f"PERIODS/{number}", *CLASSES, num=10, first=100 * (1 + number))
    write_idx(folder / "IDX_FOLDER", num_train=120)
    write_cifar(folder / "CIFAR_FOLDER", CIFAR.names, "labels", num=10)
    lines = [f"{row},{who},{row % 10}" for row in range(200) for who in ("ann", "bob")]
    (folder / "ANNOTATIONS").write_text("\n".join(["row,annotator,label", *lines]))
    (folder / "ARCHIVE").write_bytes(zipped(folder).read_bytes())


class Ground:
    """The folder, and what was typed there: each command is run once, whichever page has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed: dict[tuple[str, ...], str] = {}
        self.sweeps: dict[tuple[str, ...], str] = {}
        fill(folder)


class Reader:
    """Types the commands of one page, in its order. ``call``: ``sdrun`` in this process."""

    def __init__(self, ground: Ground, call: Callable[..., tuple[int, str]]) -> None:
        self.ground, self.call = ground, call
        self.sweep: str | None = None

    def write(self, name: str, text: str) -> str:
        """Save a file that a page shows. Returns its path."""
        file = self.ground.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def type(self, command: str) -> str:
        """What a line prints. Raises AssertionError where it does not end well."""
        os.chdir(self.ground.folder)
        return "".join(self._one(given) for given in words(command))

    def _one(self, given: list[str]) -> str:
        match given:
            case [word] if re.fullmatch(r"[A-Z]+=\S*", word):
                return ""  # a variable is filled by its name
            case ["cd", place]:
                os.chdir(ROOT / place)
                return ""
            case ["python", script]:
                if (script,) not in self.ground.printed:
                    runpy.run_path(script)
                return self.ground.printed.setdefault((script,), "")
            case ["sdrun", *rest, ">", file]:
                Path(file).write_text(text := self._sdrun(rest))
                return text
            case ["sdrun", *rest]:
                return self._sdrun(rest)
        raise AssertionError(f"{' '.join(given)}: cannot be typed")

    def run(self, name: str) -> str:
        """The folder of what the pages call so."""
        text = self._sdrun(RUNS[name].split())
        return self.sweep if "-m" in RUNS[name] else re.search(r"^Run +(\S+)$", text, re.MULTILINE)[1]

    def _sdrun(self, given: list[str]) -> str:
        asked = [self._meant(word, given) for word in given]
        if is_run(asked):
            asked = short(asked)
        elif asked[0] == "resume":
            asked = [word.split(",")[0] for word in asked]
        elif asked[0] == "linear":
            asked = [*asked, "--seeds", "2"]  # of an option that is given twice the last counts
        key = (os.getcwd(), *asked)
        if "-m" in asked and not any(word.startswith(PLACE) for word in asked):
            self.sweep = self.ground.sweeps.setdefault(key, f"outputs/sweeps/{len(self.ground.sweeps)}")
            asked = [*asked, PLACE + self.sweep]
        if key not in self.ground.printed:
            with unplugged():
                code, text = self.call(*asked)
            assert code == 0, f"sdrun {' '.join(asked)}\n{text}"
            self.ground.printed[key] = text
        return self.ground.printed[key]

    def _meant(self, word: str, given: list[str]) -> str:
        """A word as a reader would have typed it, of what was made here."""
        if word in SWEPT:
            if self.sweep is None:
                self._sdrun(SWEEP.split())
            return str(self.sweep)
        if word == "RUN_FOLDER" and any(other.endswith(".csv") for other in given):
            word = "TEXT_RUN"
        for name in RUNS:
            if name in word:
                word = word.replace(name, self.run(name))
        return str(ROOT / word) if word.startswith("docs/") else word.replace("$UNITS", "UNITS")


def is_run(given: list[str]) -> bool:
    """Whether words ask for runs, and neither for a verb nor to be told something."""
    if given[:1] == ["--plugin"]:
        given = given[2:]
    told = {"--help", "--cfg"} & set(given)
    return not told and not (given and re.fullmatch(r"[a-z]+", given[0]))


def short(given: list[str]) -> list[str]:
    """The same on few items and for few steps; of a sweep two values of each key, and one seed."""
    values = dict(word.split("=", 1) for word in given if re.match(r"[\w.]+=", word))
    few = {**FEW, **({} if STEPS in values else {STEPS: "2"})}
    experiment = values.get("experiment", "")
    few |= EXPERIMENT if experiment else SMALL.get(values.get("dataset", "digits"), {})
    if FEW_LABELS in values:
        few[FEW_LABELS] = "20"
    if not experiment and values.get("method", "born_again") == "born_again":
        few["generations"] = "2"
    if PERIODS in values or "dataset.stream.order" in values or experiment.startswith("drift_"):
        few[PERIODS] = "2"
    if experiment.startswith("claim_"):
        few["hydra.sweeper.trials"] = "2"
    kept = [word for word in given if word.split("=")[0] not in few]
    if "-m" in given:
        few["hydra/launcher"] = "serial"
        kept = [",".join(word.split(",")[: 1 if word.startswith("seed=") else 2]) for word in kept]
        kept = [word for word in kept if not word.startswith("jobs=")]  # at once, by processes
    return [*kept, *(f"{key}={value}" for key, value in few.items())]
