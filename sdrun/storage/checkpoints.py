"""Checkpoints of plain state, each with the SHA-256 of its bytes beside it."""

import io
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from sdrun.errors import RunError
from sdrun.storage.documents import Unreadable, opened
from sdrun.storage.files import digest, write_bytes

log = logging.getLogger(__name__)
KEPT = 2


def save(path: Path, state: Any) -> str:
    """Write tensors, numbers, strings, lists and dicts to ``path``; returns the SHA-256. The hash is written last."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getvalue()
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, data)
    write_bytes(_hash_file(path), f"{digest(data)}  {path.name}\n".encode())
    return digest(data)


def load_state(path: Path, device: torch.device, recorded: str | None = None) -> Any:
    """Read what ``save`` wrote; runs no code from the file.

    ``recorded``: the SHA-256 that is known of it elsewhere. Raises RunError where the file is gone, damaged or another.
    """
    if not path.exists():
        raise RunError(f"{path} is gone; put it back, or remove its folder to train that stage anew")
    data = _content(path)
    if recorded not in (None, digest(data)):
        raise RunError(
            f"{path} is not what this run wrote: its SHA-256 is not the one recorded; put that file back, or remove "
            "its folder to train that stage anew"
        )
    _require_whole(path, data)
    return torch.load(io.BytesIO(data), map_location=device, weights_only=True)


class Checkpoints:
    """The last two checkpoints of a stage, in its folder, named by step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, step: int, state: Any) -> None:
        save(self.folder / f"step_{step:09d}.pt", state)
        for old in self._paths()[:-KEPT]:
            self._remove(old)

    def newest(self) -> Path | None:
        """The newest whole checkpoint, or None. Removes a damaged one, and says so."""
        paths = self._paths()
        if not paths:
            return None
        try:
            _require_whole(paths[-1], _content(paths[-1]))
        except RunError as error:
            way_on = "going back to the checkpoint before it" if len(paths) > 1 else "the stage starts anew"
            log.warning("%s; %s", error, way_on)
            self._remove(paths[-1])
            return self.newest()
        return paths[-1]

    def clear(self) -> None:
        for path in self.folder.glob("step_*"):
            path.unlink()

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("step_*.pt"))

    @staticmethod
    def _remove(path: Path) -> None:
        _hash_file(path).unlink(missing_ok=True)
        path.unlink()


def _content(path: Path) -> bytes:
    try:
        with opened(path) as file:
            return file.read()
    except Unreadable as error:
        raise RunError(f"{path.parent}: {error}") from error


def _require_whole(path: Path, data: bytes) -> None:
    expected: list[bytes] = []
    with suppress(Unreadable), opened(_hash_file(path)) as file:
        expected = file.read().split()
    if expected[:1] != [digest(data).encode()]:
        raise RunError(f"{path} is damaged: its SHA-256 is not the one beside it")


def _hash_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")
