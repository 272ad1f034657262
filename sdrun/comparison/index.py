"""What a list of runs shows of each, kept in one file, so that thousands of folders are listed at once.

The file may be deleted at any time: it is made again from the folders.
"""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sdrun.comparison.declared import EARLIER
from sdrun.comparison.folders import look_below
from sdrun.comparison.runs import read, standing
from sdrun.judges.metric import Declared, from_json
from sdrun.storage.documents import Unreadable

FILE = ".index.sqlite"
VERSION = 4

COLUMNS = "path, stamp, error, status, created, method, title, model, dataset, seed, metrics, declared"
TABLE = f"CREATE TABLE IF NOT EXISTS runs ({COLUMNS}, settings, PRIMARY KEY (path))"
"""Paths are bytes, for a name need not be text; seeds are text, for they need not fit into 64 bits."""

Row = tuple[bytes, str, str | None, str, str, str, str, str, str, str | None, str, str, str]


@dataclass(frozen=True)
class Entry:
    """One folder: what its manifest says, its final metrics and what they mean, or ``error``: why nothing can be said.

    ``title``: the name by which its method was asked for.

    ``settings`` by dotted key are there where they were asked for.
    """

    path: Path
    error: str | None
    status: str
    created: str
    method: str
    title: str
    model: str
    dataset: str
    seed: int | None
    metrics: dict[str, float]
    declared: Declared
    settings: dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """What lies below a folder: runs, links that were passed over, and folders that are closed, with the reason."""

    entries: list[Entry]
    links: list[Path]
    closed: list[tuple[Path, str]]


def listing(top: Path, with_settings: bool, told: Callable[[int], None] = lambda num: None) -> Listing:
    """All at and below ``top``. ``told`` hears how many folders are new or changed and must be read."""
    below = look_below(top)
    folders = {os.fsencode(path.relative_to(top)): path for path in below.runs}
    file = top / FILE
    is_own = not os.path.lexists(file) or (file.is_file() and not file.is_symlink())
    places: list[Path | str] = [file, ":memory:"] if is_own else [":memory:"]
    for place in places:
        try:
            with closing(_database(place)) as database:
                rows = _rows(database, folders, with_settings, told)
            entries = [_entry(top, row) for row in sorted(rows, key=lambda row: (row[4], row[0]))]
            break
        except (sqlite3.Error, ValueError, TypeError, AttributeError):  # what lies there is not what this writes
            if place == ":memory:":
                raise
    return Listing(entries, below.links, below.closed)


def _rows(
    database: sqlite3.Connection, folders: dict[bytes, Path], with_settings: bool, told: Callable[[int], None]
) -> list[Row]:
    """A row a folder: from the database where it has not changed, else read, and kept where that can be."""
    noted = dict(database.execute("SELECT path, stamp FROM runs"))
    stamps = {name: _stamp(path) for name, path in folders.items()}
    changed = [name for name in folders if noted.get(name) != stamps[name]]
    gone = [(name,) for name in noted if name not in folders]
    if changed:
        told(len(changed))
    new = {name: _row(name, folders[name], stamps[name]) for name in changed}
    settings = "settings" if with_settings else "'{}'"
    rows = {row[0]: row for row in database.execute(f"SELECT {COLUMNS}, {settings} FROM runs")} | new
    with suppress(sqlite3.Error), database:  # what cannot be kept serves for this time
        database.executemany("DELETE FROM runs WHERE path = ?", gone)
        database.executemany(f"INSERT OR REPLACE INTO runs VALUES ({','.join('?' * 13)})", new.values())
    return [rows[name] for name in folders]


def _database(place: Path | str) -> sqlite3.Connection:
    """The index, made anew where it is damaged or of another version. Raises sqlite3.Error where no file can be."""
    database = sqlite3.connect(place)
    if _is_whole(database):
        return database
    database.close()
    Path(place).unlink()
    database = sqlite3.connect(place)
    if not _is_whole(database):
        raise sqlite3.DatabaseError(f"{place} cannot be made")
    return database


def _is_whole(database: sqlite3.Connection) -> bool:
    """Raises sqlite3.OperationalError where it can not be written."""
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(TABLE)
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute(f"SELECT {COLUMNS}, settings FROM runs LIMIT 1").fetchall()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False
    return version in (0, VERSION)


def _stamp(path: Path) -> str:
    """Changes when what is shown of a run is written."""
    parts = []
    for name in ("manifest.json", "summary.json", "config.yaml"):
        with suppress(OSError):
            stat = (path / name).stat()
            parts.append(f"{stat.st_mtime_ns}:{stat.st_size}:{stat.st_ino}")
    return " ".join(parts)


def _row(name: bytes, path: Path, stamp: str) -> Row:
    try:
        run = read(path)
    except Unreadable as error:
        return (name, stamp, str(error), "unreadable", "", "", "", "", "", None, "{}", "null", "{}")
    shown = {key: run.metric(key) for key in run.summary.get("metrics", {}) if key.count("/") == 1}
    created, method, model, dataset = (run.manifest.get(key, "") for key in ("created", "method", "model", "dataset"))
    documents = (json.dumps(shown), json.dumps(run.summary.get("declared")), json.dumps(run.settings))
    told = (run.recorded_status, created, method, run.title, model, dataset, str(run.seed))
    return (name, stamp, None, *told, *documents)


def _entry(top: Path, row: Row) -> Entry:
    path, _, error, status, created, method, title, model, dataset, seed, metrics, declared, settings = row
    return Entry(
        path=top / os.fsdecode(path),
        error=error,
        status=standing(top / os.fsdecode(path), status),
        created=created,
        method=method,
        title=title,
        model=model,
        dataset=dataset,
        seed=None if seed is None else int(seed),
        metrics={key: value for key, value in json.loads(metrics).items() if value is not None},
        declared=_meaning(declared),
        settings=json.loads(settings),
    )


@cache
def _meaning(declared: str) -> Declared:
    """What is declared, as JSON; of thousands of runs most declare the same."""
    content = json.loads(declared)
    return EARLIER if content is None else from_json(content)
