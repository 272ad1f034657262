"""The folder of one run, and what is in it. Imports no torch."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sdrun.errors import InputError
from sdrun.storage.files import remove_leftovers, write_bytes, write_json

FORMAT = 1


def holds_run(path: Path) -> bool:
    """Whether a run, or the stages of one, lie in ``path``."""
    return (path / "manifest.json").exists() or (path / "stages").exists()


class RunFolder:
    """Paths of a run, and its manifest. Everything that tools read is named here; the README is its contract."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def create(cls, path: Path, manifest: dict[str, Any], config: str) -> "RunFolder":
        """Claim ``path`` for a new run with these settings. Raises InputError where a run is there already."""
        folder = cls(path, {"format": FORMAT, **manifest})
        path.mkdir(parents=True, exist_ok=True)
        with folder.locked():
            if holds_run(path):
                raise InputError(f"{path} holds a run already; go on with it by: sdrun resume {path}")
            write_bytes(folder.config, config.encode())
            folder.write_manifest()
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """The run in ``path``. Raises InputError where there is none that this version can read."""
        try:
            manifest = json.loads((path / "manifest.json").read_text())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(f"{path} holds no run: manifest.json is not there") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path / 'manifest.json'} cannot be read ({error}); start the run anew") from error
        if manifest.get("format") != FORMAT:
            raise InputError(f"{path} has format {manifest.get('format')}; this sdrun reads format {FORMAT}")
        return cls(path, manifest)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; a killed one lets go of it. Raises InputError while another holds it."""
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"{self.path} is being written by another process; wait for it") from error
        try:
            remove_leftovers(self.path)
            yield
        finally:
            lock.release()

    def update_manifest(self, **entries: Any) -> None:
        self.manifest.update(entries)
        self.write_manifest()

    def write_manifest(self) -> None:
        write_json(self.path / "manifest.json", self.manifest)

    def summary(self) -> dict[str, Any]:
        """What ``write_summary`` wrote."""
        return json.loads((self.path / "summary.json").read_text())

    def write_summary(self, summary: dict[str, Any]) -> None:
        write_json(self.path / "summary.json", summary)

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def evaluations(self) -> Path:
        """Folder of later evaluations, each a run folder without weights."""
        return self.path / "evaluations"

    @property
    def exit_policy(self) -> Path:
        """The policy of early exit that a ladder's run found."""
        return self.stage("early_exit") / "policy.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    def stage(self, name: str) -> Path:
        """Folder of a stage's checkpoints, of its final weights ``last.pt`` and ``best.pt``, and of its mark."""
        return self.path / "stages" / name

    def weights(self, stage: str, kind: str) -> Path:
        """The final weights of a stage, ``kind`` being last or best."""
        return self.stage(stage) / f"{kind}.pt"

    def predictions(self, stage: str) -> Path:
        return self.path / "predictions" / f"{stage}.npz"

    def finished(self, stage: str) -> dict[str, Any] | None:
        """What ``finish`` noted of a stage, or None while it is not finished."""
        mark = self.stage(stage) / "done.json"
        return json.loads(mark.read_text()) if mark.exists() else None

    def finish(self, stage: str, result: dict[str, Any]) -> None:
        """Mark a stage as finished, which keeps it from being run again."""
        write_json(self.stage(stage) / "done.json", result)
