"""Is a run's folder whole? Every file against its hash, every number against what it follows from. Imports no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sdrun.account import command
from sdrun.errors import InputError
from sdrun.judges.recomputed import contradicted
from sdrun.storage.documents import Unreadable, read_arrays
from sdrun.storage.files import TEMPORARY
from sdrun.storage.folder import DONE, RunFolder
from sdrun.storage.manifest import FORMAT, State, begins_with, digest_of
from sdrun.storage.place import OWN
from sdrun.storage.stage import StageResult

COPY = "put it back from a copy"


@dataclass(frozen=True)
class Finding:
    """A file of a run, how it is, and what to do about it: nothing where it is whole."""

    file: str
    state: State
    advice: str = ""

    @property
    def is_bad(self) -> bool:
        return self.state in (State.absent, State.damaged)


class Diagnosis:
    """What can be known of the files of one run without running anything."""

    def __init__(self, path: Path) -> None:
        self.folder = RunFolder.open(path)
        is_current = self.folder.manifest["format"] == FORMAT
        self.mend = f"made again by: {command(self.folder)}" if is_current else f"{COPY}; its format is an earlier one"

    def findings(self) -> Iterator[Finding]:
        """All of them. Of files that a kill leaves and the next resume clears, none."""
        folder = self.folder
        yield Finding("manifest.json", State.whole if "files" in folder.manifest else State.unverified)
        yield from self._links()
        own = [name for name in (*OWN, *folder.files) if (folder.path / name).is_file() or name in folder.files]
        for name in dict.fromkeys(own):
            if name not in ("manifest.json", "metrics.jsonl", "run.log", ".lock"):
                yield self._file(name)
        yield from self._record()
        for result in folder.results():
            yield from self._weights(result)
            yield from self._numbers(result)
        yield from self._summary()
        for text in folder.manifest.get("damage", []):
            yield Finding("metrics.jsonl", State.damaged, f"was noted by an earlier resume: {text}")

    def leftovers(self) -> list[str]:
        """Files that a kill left."""
        places = [self.folder.path, *self.folder.path.glob("predictions"), *self.folder.path.glob("stages/*")]
        return [str(file.relative_to(self.folder.path)) for place in places for file in place.glob(f"*{TEMPORARY}")]

    def _links(self) -> Iterator[Finding]:
        for name in OWN:
            if (self.folder.path / name).is_symlink():
                yield Finding(
                    name, State.damaged, "is a link, through which nothing is written; put the file in its place"
                )

    def _file(self, name: str) -> Finding:
        state = self.folder.state(name)
        if state is State.unverified and (reason := self._unreadable(name)):
            return Finding(name, State.damaged, reason)
        return Finding(name, state, "" if state in (State.whole, State.unverified) else self._advice(name))

    def _unreadable(self, name: str) -> str | None:
        """Why a file without a hash can be no run's, where that can be known."""
        try:
            if name.endswith((".json", ".yaml")):
                self.folder.document(name)
            elif name.endswith(".npz"):
                read_arrays(self.folder.path, name)
        except (InputError, Unreadable) as error:
            return str(error)
        return None

    def _advice(self, name: str) -> str:
        if name == "config.yaml":
            return f"{COPY}; without it the run can neither go on nor be evaluated"
        if name.startswith(".hydra/"):
            return "only sdrun show reads it, and takes config.yaml instead"
        return self.mend

    def _record(self) -> Iterator[Finding]:
        recorded = self.folder.manifest.get("record")
        advice = "cannot be made again; curves may be wrong or lack points, results are not touched"
        is_there = self.folder.metrics.is_file()
        if recorded is None:
            yield from [Finding("metrics.jsonl", State.unverified)] * is_there
        elif not is_there:
            yield Finding("metrics.jsonl", State.absent, advice)
        else:
            is_whole = begins_with(self.folder.metrics.read_bytes(), recorded)
            yield Finding("metrics.jsonl", State.whole if is_whole else State.damaged, "" if is_whole else advice)

    def _weights(self, result: StageResult) -> Iterator[Finding]:
        for kind in () if result.released else result.sha256.keys() & {"last", "best", "items"}:
            file = self.folder.weights(result.name, kind)
            current = digest_of(file)
            state = State.absent if current is None else State.damaged
            if current == result.sha256[kind]:
                state = State.whole
            advice = "" if state is State.whole else f"{COPY}; sdrun evaluate, init_from and later stages need it"
            yield Finding(file.relative_to(self.folder.path).as_posix(), state, advice)

    def _numbers(self, result: StageResult) -> Iterator[Finding]:
        """The metrics of a stage against its predictions; such as cannot be read are told as files."""
        place = f"predictions/{result.name}.npz"
        try:
            wrong = contradicted(read_arrays(self.folder.path, place), result.metrics)
        except (Unreadable, ValueError, TypeError, KeyError, IndexError, StopIteration):
            return
        if wrong:
            advice = f"{', '.join(wrong[:3])} do not follow from {place}; trust neither"
            yield Finding(f"stages/{result.name}/{DONE}", State.damaged, advice)

    def _summary(self) -> Iterator[Finding]:
        """The summary against the marks of the stages."""
        try:
            stages = {stage["name"]: stage["metrics"] for stage in self.folder.summary()["stages"]}
        except InputError:
            return
        for result in self.folder.results():
            if stages.get(result.name, result.metrics) != result.metrics:
                yield Finding("summary.json", State.damaged, f"has other metrics of {result.name} than {DONE}")
