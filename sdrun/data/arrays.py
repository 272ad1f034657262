"""Arrays by name in files of one's own: ``.npz``, ``.safetensors``, or a folder of ``.npy``."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sdrun.data.tables import some
from sdrun.errors import InputError, require
from sdrun.settings.words import printable

SUFFIXES = (".npz", ".safetensors", ".npy")
OF_OBJECTS = ("Object arrays", "Python objects")
"""What numpy's errors say of arrays that need pickle, for they are of no kind of their own."""

FORMS = "a .npz or .safetensors file, or a folder that holds x.npy and y.npy"


@dataclass(frozen=True)
class Arrays:
    """The arrays of a file or a folder, each read when it is asked for."""

    path: Path
    names: list[str]
    read: Callable[[str], np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        """Raises InputError where it is broken, or would run code."""
        with explained(self.path):
            return self.read(name)

    def called(self, words: set[str]) -> str | None:
        """The name that is one of these words, in capitals or not. Raises InputError where two are."""
        names = [name for name in self.names if name.lower() in words]
        require(len(names) < 2, str(self.path), f"holds {some(names)}, of which one is meant; leave out the others")
        return names[0] if names else None


def opened(path: Path, key: str) -> Arrays:
    """What is at ``path``, which the setting ``key`` named. Raises InputError where that is no place of arrays."""
    require(path.exists(), key, f"{path} is not there; name {FORMS}")
    if path.is_dir():
        arrays = _folder(path)
    else:
        kinds = {".npz": _npz, ".safetensors": _safetensors}
        is_one = path.is_file() and path.suffix in kinds
        require(is_one, key, f"{path} is no file of arrays; name {FORMS}; tables are for dataset=vectors")
        with explained(path):
            arrays = kinds[path.suffix](path)
    require(bool(arrays.names), str(path), "holds no arrays; write x and y, such as by numpy.savez(FILE, x=x, y=y)")
    return arrays


def _folder(path: Path) -> Arrays:
    def read(name: str) -> np.ndarray:
        return np.lib.format.open_memmap(path / f"{name}.npy", mode="r")

    return Arrays(path, [file.stem for file in sorted(path.glob("*.npy")) if file.is_file()], read)


def _npz(path: Path) -> Arrays:
    def read(name: str) -> np.ndarray:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            return np.lib.format.read_array(member, allow_pickle=False)

    with zipfile.ZipFile(path) as archive:
        return Arrays(path, [name[:-4] for name in archive.namelist() if name.endswith(".npy")], read)


def _safetensors(path: Path) -> Arrays:
    is_there = find_spec("safetensors") is not None
    require(is_there, str(path), "needs the safetensors library; get it by: pip install 'sdrun[arrays]'")
    from safetensors import safe_open

    def read(name: str) -> np.ndarray:
        with safe_open(path, framework="numpy") as tensors:
            return tensors.get_tensor(name)

    with safe_open(path, framework="numpy") as tensors:
        return Arrays(path, sorted(tensors.keys()), read)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise InputError for what a broken file makes the libraries raise."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # a broken file makes numpy and safetensors raise nearly anything
        reason = printable((str(error) or type(error).__name__).splitlines()[0])
        if any(words in reason for words in OF_OBJECTS):
            way_out = "write numbers, or texts of a dtype such as <U10: y.astype(str)"
            raise InputError(f"{path}: holds Python objects, which could run code; {way_out}") from error
        raise InputError(f"{path}: cannot be read ({reason:.200}); write it again") from error
