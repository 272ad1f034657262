"""Changes to folders that only an enemy or a broken disk makes."""

import json
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sdrun.storage.folder import RunFolder
from sdrun.storage.manifest import digest_of

ESCAPE = "\x1b]0;taken\x07\x1b[2J"

SCRIPT = "<script>alert(1)</script>"

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**400, 1e308, float("nan"), float("inf"), "", "0", [], {}, [[[]]], {"a": {"b": 1}},
    ESCAPE, "\ud800", "x" * 100_000, "../../outside/new", "/outside", SCRIPT, "a\nb|c", "${oc.env:HOME}",
)  # fmt: skip


class Changes:
    """Random ones; links lead to ``outside``, and what is run leaves a file there."""

    def __init__(self, outside: Path) -> None:
        self.outside = outside

    def one(self, top: Path, chance: random.Random) -> str:
        """Change something below ``top``; returns what."""
        places = [path for path in sorted(top.rglob("*")) if not path.is_symlink()]
        files = [path for path in places if path.is_file() and path.stat().st_nlink == 1] or [top / "none"]
        folders = [path for path in places if path.is_dir()] or [top]
        changes: list[Callable[[], str]] = [
            lambda: self._linked(chance.choice(files), chance),
            lambda: self._linked(chance.choice(folders), chance),
            lambda: self._document(chance.choice([f for f in files if f.suffix == ".json"] or files), chance),
            lambda: self._document(chance.choice([f for f in files if f.suffix == ".json"] or files), chance),
            lambda: self._settings(chance.choice([f for f in files if f.suffix == ".yaml"] or files), chance),
            lambda: self._bytes(chance.choice(files), chance),
            lambda: self._pickled(chance.choice([f for f in files if f.suffix in (".pt", ".npz")] or files), chance),
            lambda: self._foreign(chance.choice(folders), chance),
            lambda: self._other_kind(chance.choice(places or [top]), chance),
        ]
        return chance.choice(changes)()

    def link(self, path: Path, how: str) -> str:
        """Put a link in the place of a file or a folder."""
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        target = {"nothing": "new", "zero": "/dev/zero", "itself": path, "hard": "file"}.get(how, how)
        if how == "hard":
            os.link(self.outside / "file", path)
        else:
            path.symlink_to(self.outside / target)
        return f"{path.name} is a link to {how}"

    def _linked(self, path: Path, chance: random.Random) -> str:
        return self.link(path, chance.choice(["file", "folder", "nothing", "itself", "zero", "hard"]))

    def _document(self, path: Path, chance: random.Random) -> str:
        with suppress(OSError, ValueError):
            content = json.loads(path.read_text())
            value = chance.choice(ODD)
            where = _replace_one(content, value, chance)
            path.write_text(json.dumps(content))
            return f"{path.name}: {where} is {str(value)[:30]!r}"
        return self._bytes(path, chance)

    def _settings(self, path: Path, chance: random.Random) -> str:
        ran = self.outside / "ran"
        texts = [
            f"seed: !!python/object/apply:os.system ['touch {ran}']\n",
            f"model:\n  _target_: os.system\n  command: touch {ran}\n",
            "a: &a [x, x]\n" + "".join(f"{n}: &{n} [{', '.join(['*' + m] * 9)}]\n" for m, n in pairwise("abcdefgh")),
            *("seed: [1\n\t: {", "[]\n", "- 1\n", "seed: ${seed}\n", "? [a, b]\n: 1\n", "1: 2\nnull: 3\n", "\x00"),
            *("seed: 0\n" * 50_000, "[" * 5000),
        ]
        if chance.random() < 0.5:
            text = chance.choice(texts)
            path.write_text(chance.choice([text, text + path.read_text(), path.read_text() + text]))
            return f"{path.name}: {text[:40]!r}"
        with suppress(OSError, ValueError, yaml.YAMLError):
            content = yaml.safe_load(path.read_text())
            value = chance.choice(ODD)
            where = _replace_one(content, value, chance)
            path.write_text(yaml.safe_dump(content))
            return f"{path.name}: {where} is {str(value)[:30]!r}"
        return self._bytes(path, chance)

    def _bytes(self, path: Path, chance: random.Random) -> str:
        if not path.is_file():
            return "nothing"
        data = bytearray(path.read_bytes())
        how = chance.choice(["empty", "cut", "flipped", "zeros", "garbage", "utf-16", "deep", "huge"])
        if how == "flipped" and data:
            for _ in range(chance.randint(1, 20)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        contents = {
            "empty": b"",
            "cut": data[: len(data) // 2],
            "flipped": data,
            "zeros": bytes(len(data)),
            "garbage": chance.randbytes(2000),
            "utf-16": "﻿{}".encode("utf-16"),
            "deep": b"[" * 200_000,
            "huge": b'{"step": ' + b"9" * 10_000 + b"}\n",
        }
        path.write_bytes(contents[how])
        return f"{path.name}: {how}"

    def _pickled(self, path: Path, chance: random.Random) -> str:
        """Objects that leave a file outside when they are loaded."""
        ran = self.outside / "ran"

        class Touch:
            def __reduce__(self) -> tuple:
                return os.system, (f"touch {ran}",)

        data = pickle.dumps(Touch())
        path.unlink(missing_ok=True)
        if path.suffix == ".npz":
            np.savez(path, test_logits=np.array([Touch()], dtype=object), test_labels=np.array([0]))
        else:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("archive/data.pkl", data)
                archive.writestr("archive/version", "3\n")
            with suppress(OSError):
                path.with_name(path.name + ".sha256").write_text(f"{digest_of(path)}  {path.name}\n")
        return f"{path.name}: a pickle"

    def _foreign(self, folder: Path, chance: random.Random) -> str:
        name = chance.choice(
            [
                "film.mkv.part",
                "x.sdrun-part",
                f"{ESCAPE}.pt",
                "step_x.pt",
                "step_000000009.pt",
                "done.json",
                "new\nline",
                ".index.sqlite",
            ]
        )
        place = folder / name
        if chance.random() < 0.3:
            place = folder / f"{ESCAPE}_stage"
            place.mkdir(exist_ok=True)
            place = place / "done.json"
        with suppress(OSError):
            place.symlink_to(self.outside / "file") if chance.random() < 0.4 else place.write_text('{"name": 3}')
        return f"{folder.name} has {place.name!r}"

    def _other_kind(self, path: Path, chance: random.Random) -> str:
        was_folder = path.is_dir()
        shutil.rmtree(path) if was_folder else path.unlink()
        if chance.random() < 0.4:
            os.mkfifo(path)
            return f"{path.name} is a FIFO"
        path.write_text("{}") if was_folder else path.mkdir()
        return f"{path.name} is of the other kind"


def _replace_one(content: Any, value: Any, chance: random.Random) -> str:
    """Put ``value`` in a random place of nested lists and dicts; returns that."""
    where = ""
    while isinstance(content, dict | list) and content:
        key = chance.choice(list(content) if isinstance(content, dict) else range(len(content)))
        where += f".{key}"
        if not isinstance(content[key], dict | list) or not content[key] or chance.random() < 0.3:
            if isinstance(content, dict) and chance.random() < 0.2:
                content[value if isinstance(value, str) else str(value)] = content.pop(key)
            else:
                content[key] = value
            break
        content = content[key]
    return where


def seal(top: Path) -> None:
    """Give each manifest the hashes of what is there now, as an enemy would."""
    for file in top.rglob("manifest.json"):
        if file.is_symlink() or not file.is_file():
            continue
        with suppress(Exception):
            manifest = json.loads(file.read_text())
            if "sha256" not in manifest:
                continue
            folder = RunFolder(file.parent, manifest)
            for name in folder.files:
                with suppress(OSError):
                    folder.files[name] = digest_of(file.parent / name) or folder.files[name]
            folder.write_manifest()
