"""What a list of runs shows of each, kept in one file, so that thousands of folders are listed at once.

The file may be deleted at any time: it is made again from the folders.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrun.comparison.runs import Unreadable, read, run_folders

FILE = ".index.sqlite"
VERSION = 1

TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    path TEXT PRIMARY KEY, stamp TEXT, error TEXT, status TEXT, created TEXT, method TEXT, model TEXT, dataset TEXT,
    seed INTEGER, metrics TEXT, settings TEXT
)
"""


@dataclass(frozen=True)
class Entry:
    """One folder: what its manifest says, its final metrics, or ``error``: why nothing can be said.

    ``settings`` by dotted key are there where they were asked for.
    """

    path: Path
    error: str | None
    status: str
    created: str
    method: str
    model: str
    dataset: str
    seed: int | None
    metrics: dict[str, float]
    settings: dict[str, Any]


def entries(top: Path, with_settings: bool, told: Callable[[int], None] = lambda num: None) -> list[Entry]:
    """All runs at and below ``top``. ``told`` hears how many folders are new or changed and must be read."""
    folders = {str(path.relative_to(top)): path for path in run_folders(top)}
    with closing(_database(top)) as database:
        known = dict(database.execute("SELECT path, stamp FROM runs"))
        stamps = {name: _stamp(path) for name, path in folders.items()}
        changed = [name for name in folders if known.get(name) != stamps[name]]
        gone = [(name,) for name in known if name not in folders]
        if changed:
            told(len(changed))
        rows = (_row(name, folders[name], stamps[name]) for name in changed)
        with suppress(sqlite3.OperationalError), database:  # one that cannot be written serves for this time
            database.executemany("DELETE FROM runs WHERE path = ?", gone)
            database.executemany(f"INSERT OR REPLACE INTO runs VALUES ({','.join('?' * 11)})", rows)
        return list(_read(database, top, with_settings))


def _database(top: Path) -> sqlite3.Connection:
    """The index, made anew where it is damaged or of another version, in memory where no file can be."""
    file = top / FILE
    for place in (file, file, ":memory:"):
        with suppress(sqlite3.OperationalError):
            database = sqlite3.connect(place)
            if _is_whole(database):
                break
            database.close()
            file.unlink(missing_ok=True)
    return database


def _is_whole(database: sqlite3.Connection) -> bool:
    try:
        found = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(TABLE)
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute("SELECT path, stamp, error, settings FROM runs LIMIT 1").fetchall()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False
    return found in (0, VERSION)


def _stamp(path: Path) -> str:
    """Changes when a run writes its manifest or its summary."""
    parts = []
    for name in ("manifest.json", "summary.json"):
        with suppress(OSError):
            stat = (path / name).stat()
            parts.append(f"{stat.st_mtime_ns}:{stat.st_size}:{stat.st_ino}")
    return " ".join(parts)


def _row(name: str, path: Path, stamp: str) -> tuple:
    try:
        run = read(path)
        settings = run.settings
    except Unreadable as error:
        return (name, stamp, str(error), "unreadable", "", "", "", "", None, "{}", "{}")
    shown = {key: run.metric(key) for key in run.summary.get("metrics", {}) if key.count("/") == 1}
    texts = (str(run.manifest.get(key, "")) for key in ("created", "method", "model", "dataset"))
    return (name, stamp, None, run.status, *texts, run.seed, json.dumps(shown), json.dumps(settings))


def _read(database: sqlite3.Connection, top: Path, with_settings: bool) -> Iterator[Entry]:
    settings = "settings" if with_settings else "'{}'"
    columns = f"path, error, status, created, method, model, dataset, seed, metrics, {settings}"
    for path, error, status, created, method, model, dataset, seed, metrics, known in database.execute(
        f"SELECT {columns} FROM runs ORDER BY created, path"
    ):
        found = {key: value for key, value in json.loads(metrics).items() if value is not None}
        yield Entry(top / path, error, status, created, method, model, dataset, seed, found, json.loads(known))
