"""The folder of one run, and what is in it. Imports no torch."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock, Timeout

from sdrun.errors import InputError, RunError
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable
from sdrun.storage.files import digest, json_bytes, keep_apart, remove_leftovers, write_bytes
from sdrun.storage.hashed import ANEW, HashedFiles
from sdrun.storage.manifest import Manifest, State
from sdrun.storage.place import LOCK, refuse_strange, require_free, require_no_sweep, resuming
from sdrun.storage.shape import STAGE, SUMMARY
from sdrun.storage.stage import StageResult

log = logging.getLogger(__name__)

DONE = "done.json"

NO_FILES: Mapping[str, str] = MappingProxyType({})


class RunFolder(HashedFiles):
    """Paths of a run, and its manifest. Everything that tools read is named here; the README is its contract."""

    @classmethod
    def create(cls, path: Path, manifest: Manifest, config: str, more: Mapping[str, str] = NO_FILES) -> "RunFolder":
        """Claim ``path`` for a new run with these settings; ``more``: the text of further files, by their path.

        Raises InputError where anything of its kind is there.
        """
        settings = config.encode()
        folder = cls(path, {**manifest, "files": {"config.yaml": digest(settings)}})
        path.mkdir(parents=True, exist_ok=True)
        with folder._held():
            require_free(path, settings)
            write_bytes(folder.config, settings)
            folder.write_manifest()
            folder.write({name: text.encode() for name, text in more.items()})
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """The run in ``path``. Raises InputError where there is none that this version can read."""
        try:
            manifest = manifests.read(path)
            manifests.require_entries(manifest)
        except Unreadable as error:
            if os.path.lexists(path / manifests.FILE):
                raise InputError(f"{path}: {error}; {ANEW}") from error
            require_no_sweep(path)
            raise InputError(f"{path} holds no run: {error}") from error
        return cls(path, manifest)

    def require_current(self, what: str) -> None:
        """Raise InputError where a run of an earlier format is asked for ``what`` only one of today's can give."""
        if self.manifest["format"] < manifests.FORMAT:
            raise InputError(
                f"{self.path} is a run of format {self.manifest['format']}: it can be listed, shown and compared, but "
                f"not {what}; start it anew, or use the sdrun that made it"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process, with its manifest as it is then; a killed one lets go of it.

        Clears what a kill left. Raises InputError while another process holds it, or where links lead out of it.
        """
        with self._held():
            self.manifest = RunFolder.open(self.path).manifest
            for folder in (self.path, *map(self.path.joinpath, (".hydra", "predictions")), *self.path.glob("stages/*")):
                remove_leftovers(folder)
            for name in ("stages", "predictions"):
                (self.path / name).mkdir(exist_ok=True)
            for file in (self.metrics, self.path / "run.log"):  # which are appended to
                keep_apart(file)
            if self.settle():
                self.update_manifest(status=self.status)
            yield

    @contextmanager
    def _held(self) -> Iterator[None]:
        refuse_strange(self.path)
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"{self.path} is being written by another process; wait for it") from error
        try:
            yield
        finally:
            lock.release()

    def damaged_weights(self) -> list[str]:
        """Final weights that are not what their stage wrote; where there are none, they may have been pruned."""
        written = (
            (self.weights(result.name, kind), sha256)
            for result in self.results()
            for kind, sha256 in result.sha256.items()
        )
        return [
            file.relative_to(self.path).as_posix()
            for file, sha256 in written
            if file.exists() and manifests.digest_of(file) != sha256
        ]

    def is_record_whole(self) -> bool:
        """Whether the record is all that finished stages wrote, and nothing else."""
        recorded = self.manifest.get("record")
        return recorded is None or manifests.digest_of(self.metrics) == recorded["sha256"]

    def kept(self, name: str, make: Callable[[], bytes], others: Iterable["RunFolder"] = ()) -> bytes:
        """The content of a file that is made once: as it is there, or as another run has it, or new.

        Raises RunError where it is gone or damaged in another run, or here and comes out as another now.
        """
        file, recorded = self.path / name, self.files.get(name)
        if self.state(name) is State.whole:
            return file.read_bytes()
        holders = [folder for folder in others if name in folder.files]
        for folder in holders:
            if folder.state(name) is not State.whole:
                mend = f"{resuming(folder.path)} --repair"
                raise RunError(f"{folder.path / name} is gone or damaged; make it again by: {mend}")
        data = (holders[0].path / name).read_bytes() if holders else make()
        if recorded not in (None, digest(data)):
            raise RunError(f"{file} is gone or damaged, and comes out as another now; restore it from a copy")
        self.write({name: data})
        return data

    # The summary -----------------------------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """``completed`` also where a kill came between the summary that says so and the manifest."""
        status = str(self.manifest["status"])
        return "completed" if status == "running" and self._says_completed() else status

    def _says_completed(self) -> bool:
        try:
            return self.summary()["status"] == "completed"
        except InputError:
            return False

    def summary(self) -> dict[str, Any]:
        """What the run came to. Raises InputError where it is gone or damaged."""
        return self.document("summary.json", SUMMARY, ("status", "metrics", "stages"))

    # Stages ----------------------------------------------------------------------------------------------------------

    def finished(self, stage: str) -> StageResult | None:
        """What ``finish`` noted of a stage, or None while it is not finished.

        Where that is lost, what the summary says of the stage; None where its weights are lost as well.
        """
        name = f"stages/{stage}/{DONE}"
        try:
            return self._mark(stage)
        except InputError as error:
            result = self._summarised(stage)
            if self.state(name) is not State.absent or name in self.files:
                told = "the summary tells the same" if result else "nor does the summary tell of the stage"
                log.warning("%s; %s", error, told)
            return result

    def _mark(self, stage: str) -> StageResult:
        """What ``finish`` noted, read once. Raises InputError where that is gone or damaged."""
        name = f"stages/{stage}/{DONE}"
        digest = self.files.get(name)
        if digest is None or (stage, digest) not in self._marks:
            document = self.document(name, STAGE, ("name", "steps", "metrics"))
            self._marks[stage, digest] = StageResult.from_json(document)
        return self._marks[stage, digest]

    @cached_property
    def _marks(self) -> dict[tuple[str, str | None], StageResult]:
        """Those that were read, by stage and hash."""
        return {}

    def _summarised(self, stage: str) -> StageResult | None:
        """What the summary says of a stage whose weights are there."""
        try:
            document = next(entry for entry in self.summary()["stages"] if entry.get("name") == stage)
        except (InputError, StopIteration):
            return None
        result = StageResult.from_json(document)
        digests = {kind: manifests.digest_of(self.weights(stage, kind)) for kind in result.sha256}
        return result if result.released or digests == result.sha256 else None

    def results(self) -> list[StageResult]:
        """What was noted of all finished stages, in the order in which they finished."""
        marks = [name for name in self.files if name.endswith(f"/{DONE}")]
        others = sorted(self.path.glob(f"stages/*/{DONE}"), key=lambda file: file.stat().st_mtime_ns)
        names = dict.fromkeys([*marks, *(file.relative_to(self.path).as_posix() for file in others)])
        results = (self._told(name.split("/")[1]) for name in names)
        return [result for result in results if result]

    def _told(self, stage: str) -> StageResult | None:
        try:
            return self._mark(stage)
        except InputError:
            return self._summarised(stage)

    def released(self, stage: str) -> StageResult | None:
        """What was noted of a finished stage whose weights or items were deleted; None of any other."""
        result = self.finished(stage)
        return result if result and result.released else None

    def finish(self, result: StageResult, contents: Mapping[str, bytes]) -> None:
        """Write the files of a stage, and mark it as finished, which keeps it from being run again."""
        self.write({**contents, f"stages/{result.name}/{DONE}": json_bytes(result.to_json())})

    def note_teachers(self, stage: str, teachers: list[dict[str, str]]) -> None:
        """Keep in the manifest where the targets and items of a stage come from, with their hashes."""
        self.update_manifest(teachers={**self.manifest["teachers"], stage: teachers})

    # Places ----------------------------------------------------------------------------------------------------------

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def evaluations(self) -> Path:
        """Folder of later evaluations, each a run folder without weights."""
        return self.path / "evaluations"

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
        """The final weights of a stage, ``kind`` being last or best, or the items that it made, of the kind items."""
        return self.stage(stage) / f"{kind}.pt"
