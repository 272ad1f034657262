"""The ratings behind VADER (Hutto & Gilbert 2014): short texts of four domains, each rated by 15 to 99 people."""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from sdrun.data.consensus import Annotations
from sdrun.data.labelled import Labelled, Published
from sdrun.errors import InputError, require
from sdrun.randomness import seed_of
from sdrun.settings import require_range
from sdrun.tasks.text.settings import TextSettings
from sdrun.tasks.text.texts import TEXTS, Texts

DOMAINS = {
    "amazon": "amazonReviewSnippets",
    "movies": "movieReviewSnippets",
    "news": "nytEditorialSnippets",
    "tweets": "tweets",
}
CLASSES = ["negative", "neutral", "positive"]
EDGE = 0.5
"""A text whose mean rating is above it is positive, and one below its negative is negative."""
TEST_SHARE = 0.2
KNOWN, BLOCK = "movies", 30
"""The domain in whose lists of ratings people can be told, and how many texts in a row the same people rated."""

RATINGS, TEXT = "anonDataRatings.txt", "GroundTruth.txt"
FILES = {f"{name}_{kind}" for name in DOMAINS.values() for kind in (RATINGS, TEXT)}
INNER = "hutto_ICWSM_2014"
LIMIT = 2**26
BROKEN = (
    *(OSError, EOFError, ValueError, RuntimeError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
)
WAYS = (
    "\nWays to get them:\n  pip download --no-deps --no-binary :all: vaderSentiment==0.5"
    "\n  dataset.root=ARCHIVE, the file that this gives, or a FOLDER that holds it, or what is in it"
)


class LabelsFrom(Enum):
    crowd = "crowd"
    rater = "rater"


@dataclass
class VaderSettings(TextSettings):
    """``labels_from``: the crowd's mean, which is taken for the truth, or ``raters`` of a text, drawn by the seed."""

    labels_from: LabelsFrom
    raters: int

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("dataset.raters", self.raters, 1)
        is_counted = self.labels_from is LabelsFrom.rater or self.raters == 1
        needless = "has no effect with dataset.labels_from=crowd; set that to rater, or leave this out"
        require(is_counted, "dataset.raters", needless)
        is_one = self.annotations is None or self.labels_from is LabelsFrom.crowd
        require(
            is_one, "dataset.annotations", "and dataset.labels_from=rater each say who labelled; leave one of them out"
        )
        is_plain = self.labels_from is LabelsFrom.crowd or not self.is_noisy
        require(is_plain, "dataset.label_noise", "would hide which labels are a rater's own mistakes; set it to 0")

    @property
    def has_annotators(self) -> bool:
        return super().has_annotators or self.raters > 1


@dataclass(frozen=True)
class _Rated:
    """Texts of one domain [N], which of them come from one document, and the ratings of each, -4 to 4."""

    texts: list[str]
    documents: list[str]
    ratings: list[list[int]]


def load(settings: VaderSettings) -> Published:
    """A fifth of the documents of each domain, or of its texts where each is by itself, is for testing.

    Field ``domain`` [N]: the number of it in ``DOMAINS``. Raises InputError where files are missing or broken.
    """
    files = _files(settings.root)
    domains = [_rated(files, name) for name in DOMAINS.values()]
    texts = Texts.of(text for rated in domains for text in rated.texts)
    domain = np.repeat(np.arange(len(domains)), [len(rated.texts) for rated in domains])
    votes = _votes([ratings for rated in domains for ratings in rated.ratings])
    mean = np.array([np.mean(ratings) for rated in domains for ratings in rated.ratings])
    labels = np.where(mean < -EDGE, 0, np.where(mean > EDGE, 2, 1))
    everything = Labelled({"text": texts, "domain": domain}, labels, votes / votes.sum(axis=1, keepdims=True))
    is_test = np.concatenate([_is_test(name, rated.documents) for name, rated in zip(DOMAINS, domains, strict=True)])
    train, test = everything.take(~is_test), everything.take(is_test)
    is_of_one = settings.labels_from is LabelsFrom.rater and settings.raters == 1
    one = partial(_of_one_rater, votes[~is_test]) if is_of_one else None

    def several(seed: int) -> Annotations:
        return _of_raters(domains, settings.raters, seed).of(np.flatnonzero(~is_test))

    return Published(train, test, CLASSES, TEXTS, one, domains=tuple(DOMAINS), annotators=several)


def _votes(ratings: list[list[int]]) -> np.ndarray:
    """How many raters of each text chose each class, [N, 3]: most choose another than the mean's for 6 % of texts."""
    return np.array([np.bincount(np.sign(own) + 1, minlength=3) for own in ratings])


def _of_one_rater(votes: np.ndarray, seed: int) -> np.ndarray:
    """The class that one rater of each text chose, drawn evenly among them."""
    u = np.random.default_rng(seed_of(seed, "rater")).random(len(votes))
    return (u[:, None] * votes.sum(axis=1, keepdims=True) >= votes.cumsum(axis=1)).sum(axis=1)


def _of_raters(domains: list[_Rated], num: int, seed: int) -> Annotations:
    """What ``num`` raters said of each text, or all where there are fewer, drawn evenly.

    In ``movies`` those at the same place in the lists of a block of texts are one person, for their ratings are like
    each other there (a correlation of 0.34 between a text and the next, about 0 from block to block, and about 0 in
    other domains), so the same people are drawn for all of it. Elsewhere nobody can be told from others.
    """
    random = np.random.default_rng(seed_of(seed, "raters"))
    items, names, labels, position = [], [], [], 0
    for domain, rated in zip(DOMAINS, domains, strict=True):
        size = BLOCK if domain == KNOWN else 1
        for first in range(0, len(rated.texts), size):
            block = rated.ratings[first : first + size]
            people = random.permutation(min(map(len, block)))[:num].tolist()
            for place, (nth, person) in product(range(len(block)), enumerate(people, start=1)):
                items.append(position + first + place)
                names.append(f"{domain} {first // size}-{person}" if domain == KNOWN else f"somebody {nth} of {domain}")
                labels.append(np.sign(block[place][person]) + 1)
        position += len(rated.texts)
    different, numbers = np.unique(names, return_inverse=True)
    return Annotations(np.array(items), numbers, np.array(labels), different)


def _is_test(domain: str, documents: list[str]) -> np.ndarray:
    """Which texts are for testing, the same in every run: whole documents."""
    names = np.unique(documents)
    random = np.random.default_rng(seed_of("vader", domain))
    return np.isin(documents, random.permutation(names)[: round(TEST_SHARE * len(names))])


# Files --------------------------------------------------------------------------------------------------------------


def _files(root: str | None) -> dict[str, bytes]:
    """Ratings and texts of all domains by the names of their files. Raises InputError where one is missing."""
    require(root is not None, "dataset.root", f"is missing, and has to name the ratings.{WAYS}")
    place = Path(str(root)).expanduser()
    try:
        content = _in_folder(place) if place.is_dir() else _in_archive(place.read_bytes())
    except BROKEN as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"dataset.root: {place} cannot be read ({reason}).{WAYS}") from error
    lacking = sorted(FILES - content.keys())
    require(not lacking, "dataset.root", f"{place} holds no {', '.join(lacking[:2])}.{WAYS}")
    return content


def _in_folder(place: Path) -> dict[str, bytes]:
    """The files below a folder, unpacked or not."""
    folders = [place, place / INNER, place / "additional_resources", place / "additional_resources" / INNER]
    there = {name: folder / name for folder in folders for name in FILES if (folder / name).is_file()}
    if there:
        return {name: file.read_bytes() for name, file in there.items()}
    archives = [folder / f"{INNER}.tar.gz" for folder in folders] + sorted(place.glob("vaderSentiment-0.5*"))
    archive = next((file for file in archives if file.is_file()), None)
    return _in_archive(archive.read_bytes()) if archive else {}


def _in_archive(data: bytes) -> dict[str, bytes]:
    """The files in an archive, or in the one that is in it."""
    content = {}
    for name, size, read in _members(data):
        if name in FILES or name == f"{INNER}.tar.gz":
            if size > LIMIT:
                raise ValueError(f"{name} holds more than 64 MiB")
            content[name] = read()
    inner = content.pop(f"{INNER}.tar.gz", None)
    return content if inner is None else _in_archive(inner)


def _members(data: bytes) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    """Name without folders, size and content of what a zip or tar archive holds."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            for entry in zipped.infolist():
                yield entry.filename.rpartition("/")[2], entry.file_size, partial(zipped.read, entry)
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as packed:
            for member in packed:
                if file := packed.extractfile(member):
                    yield member.name.rpartition("/")[2], member.size, file.read


def _rated(files: dict[str, bytes], name: str) -> _Rated:
    """A domain, its texts and ratings put together by their numbers, whose order differs in some of the files."""
    texts = {number: text for number, _, text in _rows(files, f"{name}_{TEXT}", 3)}
    ratings = {number: numbers for number, _, _, numbers in _rows(files, f"{name}_{RATINGS}", 4)}
    require(texts.keys() == ratings.keys(), f"{name}_{TEXT}", "has other numbers than its ratings; fetch it again")
    documents = [number.partition("_")[0] for number in texts]
    return _Rated(list(texts.values()), documents, [_numbers(name, ratings[number]) for number in texts])


def _rows(files: dict[str, bytes], name: str, num: int) -> Iterator[list[str]]:
    """The cells of each line. Raises InputError that names the line which has others."""
    for number, line in enumerate(files[name].decode("utf-8-sig", errors="replace").splitlines(), start=1):
        if line.strip():
            cells = line.split("\t")
            require(
                len(cells) == num, f"{name}, line {number}", f"has {len(cells)} cells instead of {num}; fetch it again"
            )
            yield cells


def _numbers(name: str, text: str) -> list[int]:
    try:
        numbers = [int(number) for number in text.strip("[] ").split(",")]
    except ValueError:
        numbers = []
    is_rating = bool(numbers) and all(-4 <= number <= 4 for number in numbers)
    require(is_rating, f"{name}_{RATINGS}", f"has ratings that are none: {text[:40]}; fetch it again")
    return numbers
