"""The labels of a finished run that are most suspicious, class by class, as one page in which nothing executes."""

import base64
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jinja2 import Environment, select_autoescape

from sdrun import __version__, configuration, recorded, tasks
from sdrun.comparison.commands import FOLDER
from sdrun.comparison.report import style
from sdrun.data.corrections import COLUMN_KEY, KEY
from sdrun.data.labelled import Splits
from sdrun.data.splits import split
from sdrun.errors import require
from sdrun.methods.refine.audit import Audit
from sdrun.methods.refine.recipe import BELIEFS, FILE
from sdrun.methods.refine.settings import RefineSettings
from sdrun.results import load_items
from sdrun.settings import CORRECTED, DatasetSettings
from sdrun.settings.words import parted, printable
from sdrun.storage.files import write_bytes
from sdrun.storage.folder import RunFolder
from sdrun.storage.place import resuming

PAGE = "review.html"
MOST_SWAPS = 12
"""Kinds of mistakes that the page counts."""


@dataclass(frozen=True)
class Card:
    """An item as the page shows it: a ``picture`` as a data URI, or a ``text``; ``other``: what else it may be;
    ``votes``: how many annotators said which class, where several were asked.
    """

    name: str
    rank: int
    other: str
    right: float
    votes: str
    picture: str
    text: str


@dataclass(frozen=True)
class Shelf:
    """The suspects among the items that are labelled as one class; ``cards`` are the first of them."""

    label: str
    num: int
    num_suspects: int
    cards: list[Card]


def write(path: Path, overrides: list[str], most: int, output: Path | None) -> Path:
    """The page of a run, in its folder if nowhere else, with at most so many items of each label.

    overrides: where the data are now. Raises InputError where the run holds no beliefs out of sample, or its data
    changed.
    """
    folder = RunFolder.open(path)
    require(folder.status == "completed", str(path), f"is {folder.status}; finish it by: {resuming(path)}")
    config = recorded.load_config(folder)
    recorded.change(config, overrides, (), "of a finished run")
    settings = configuration.settings_from(config)
    method = settings.method
    needs = "holds no beliefs out of sample; sdrun method=refine makes them, with two folds or more"
    require(isinstance(method, RefineSettings) and method.folds > 1, str(path), needs)
    assert isinstance(method, RefineSettings)
    splits = split(tasks.load(settings.dataset), settings.dataset)
    recorded.require_same(folder, settings, splits.fingerprints())
    audit = Audit.of(splits, _beliefs(folder, method), method.finder)
    page = _rendered(
        title=f"Labels of {settings.dataset.name} that look wrong",
        summary=audit.summary,
        swaps=_swaps(audit),
        shelves=_shelves(audit, settings.dataset, splits, most),
        named=splits.named,
        file=FILE,
        column=CORRECTED,
        command=_command(folder.manifest["overrides"], path / FILE),
        style=style(),
        version=__version__,
    )
    target = output or path / PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, page.encode(errors="backslashreplace"))
    return target


def _beliefs(folder: RunFolder, method: RefineSettings) -> np.ndarray:
    """Those of the last round's models [N, K]."""
    made = folder.finished(f"round_{method.rounds}_labels")
    assert made
    return np.asarray(load_items(folder, made, torch.device("cpu"))[BELIEFS].double())


def _shelves(audit: Audit, dataset: DatasetSettings, splits: Splits, most: int) -> list[Shelf]:
    """One for each label that has suspects, that with the most first."""
    shelves = []
    for label, name in enumerate(audit.classes):
        is_labelled = audit.labels == label
        suspects = np.flatnonzero(audit.findings.is_suspect & is_labelled)
        first = suspects[np.argsort(audit.findings.ranks[suspects])][:most]
        seen = tasks.shown(dataset, splits.train.take(splits.labelled[first]))
        cards = [_card(audit, item, one) for item, one in zip(first.tolist(), seen, strict=True)]
        shelves.append(Shelf(name, int(is_labelled.sum()), len(suspects), cards))
    return sorted((shelf for shelf in shelves if shelf.cards), key=lambda shelf: -shelf.num_suspects)


def _card(audit: Audit, item: int, seen: bytes | str) -> Card:
    findings, label = audit.findings, audit.labels[item]
    others = findings.classes[item].copy()
    others[label] = -1
    return Card(
        name=str(audit.names[item]),
        rank=int(findings.ranks[item]),
        other=audit.classes[others.argmax()],
        right=float(findings.classes[item, label]),
        votes=", ".join(f"{audit.classes[k]} {num}" for k, num in enumerate(audit.votes[item]) if num),
        picture="" if isinstance(seen, str) else f"data:image/png;base64,{base64.b64encode(seen).decode()}",
        text=seen if isinstance(seen, str) else "",
    )


def _swaps(audit: Audit) -> list[tuple[str, str, int]]:
    """Labels, the classes that their items are believed to be of, and how many such there are, the most first."""
    suspects = np.flatnonzero(audit.findings.is_suspect & (audit.proposed != audit.labels))
    pairs = np.stack([audit.labels[suspects], audit.proposed[suspects]], axis=1)
    different, counts = np.unique(pairs, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_SWAPS]
    return [(audit.classes[a], audit.classes[b], int(counts[row])) for row in order for a, b in [different[row]]]


def _command(overrides: list[str], file: Path) -> str:
    """What takes the decisions."""
    own = [word for word in overrides if parted(word)[0] not in (FOLDER, KEY, COLUMN_KEY)]
    return printable(shlex.join(["sdrun", *own, f"{KEY}={file}"]))


def _rendered(**values: object) -> str:
    template = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=select_autoescape(default=True, default_for_string=True))
    return environment.from_string(template).render(**values)
