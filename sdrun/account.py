"""What is said of a run while it is under way and when it ends: manifest, summary, and the words for it."""

import shlex
import time
from contextlib import suppress
from typing import Any

from sdrun.errors import NO_ROOM, InputError, RunError
from sdrun.hardware import peak_memory
from sdrun.storage.files import json_bytes
from sdrun.storage.folder import RunFolder
from sdrun.storage.place import resuming
from sdrun.storage.stage import COMPUTE


class Account:
    """Keeps ``manifest.json`` and ``summary.json`` true, however the run ends.

    That of a completed run is final: it stays completed, and its summary is replaced only where it is lost, by one as
    complete.
    """

    def __init__(self, folder: RunFolder, writes: bool) -> None:
        self.folder, self.writes = folder, writes
        self.is_final = folder.status == "completed"
        self._began, self._earlier = time.monotonic(), folder.manifest["wall_seconds"]

    def note(self, status: str, **more: Any) -> None:
        """Write the status, and in the summary ``more``."""
        if not self.writes or (self.is_final and not (status == "completed" and self.folder.lost("summary.json"))):
            return
        since = 0.0 if self.is_final else time.monotonic() - self._began
        seconds = round(self._earlier + since, 3)
        content = self._summary({**self.folder.manifest, "status": status, "wall_seconds": seconds}, more)
        self.folder.write({"summary.json": json_bytes(content)}, status=status, wall_seconds=seconds)

    def note_if_possible(self, status: str, **more: Any) -> str:
        """What to say where the disk is full; of a folder that is gone, nothing."""
        with suppress(RunError):
            try:
                self.note(status, **more)
            except OSError:
                return f"\nIts status could not be written: it says {self.folder.manifest['status']} still"
        return ""

    def _summary(self, manifest: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
        """What has come out so far: stages that this process has not come to yet are in it as well."""
        kept = ("status", "method", "model", "dataset", "seed", "overrides", "wall_seconds")
        results = self.folder.results()
        stages = [{key: value for key, value in result.to_json().items() if key != "declared"} for result in results]
        return {
            **{key: manifest[key] for key in kept},
            "compute": {key: sum(stage.get(key, 0) for stage in stages) for key in COMPUTE},
            "process_peak_memory_bytes": None if self.is_final else peak_memory(),
            "declared": {name: metric for stage in results for name, metric in stage.declared.items()},
            "metrics": {},
            **more,
            "stages": stages,
        }


def explained(error: Exception, folder: RunFolder) -> Exception:
    """The error as a person should see it."""
    try:
        folder.require_there()
    except RunError as gone:
        return gone
    if isinstance(error, InputError | RunError):
        return error
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        where = error.filename or folder.path
        return RunError(f"{where}: {error.strerror}; make room, then: {command(folder)}")
    if isinstance(error, OSError) and error.filename:
        return RunError(f"{error.filename}: {error.strerror}\nThe traceback is in {folder.path / 'run.log'}")
    return RunError(f"{type(error).__name__}: {error}\nThe traceback is in {folder.path / 'run.log'}")


def command(folder: RunFolder) -> str:
    """What finishes the run, or mends a completed one."""
    if "evaluates" in folder.manifest:
        return shlex.join(["sdrun", "evaluate", folder.manifest["evaluates"]])
    ranks = folder.manifest["hardware"]["ranks"]
    options = ["--repair"] if folder.status == "completed" else []
    words = resuming(folder.path, *options)
    return words if ranks == 1 else f"torchrun --nproc-per-node {ranks} -m {words}"
