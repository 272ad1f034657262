"""Folders as nobody but an enemy, or a broken disk, leaves them: seeded random changes, and every verb that reads them.

A verb may refuse in words or leave out what it cannot read. It may never end in a traceback, write outside of the
folders that it was told to write to, run what a file says, or send a terminal what a file holds for it.
"""

import json
import os
import pickle
import random
import resource
import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from folders import made_run

import helpers
from faults.child import Case, Ending, done, sdrun
from faults.figures import FAILED, Figures
from sdrun.storage.folder import RunFolder
from sdrun.storage.manifest import digest_of

ESCAPE = "\x1b]0;taken\x07\x1b[2J"

SCRIPT = "<script>alert(1)</script>"

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**400, 1e308, float("nan"), float("inf"), "", "0", [], {}, [[[]]], {"a": {"b": 1}},
    ESCAPE, "\ud800", "x" * 100_000, "../../outside/new", "/outside", SCRIPT, "a\nb|c", "${oc.env:HOME}",
)  # fmt: skip


class Hostile:
    """Sources that are whole, an outside that must stay as it is, and a place for changed copies."""

    def __init__(self, folder: Path, claim: Path) -> None:
        self.folder = folder
        self.outside = folder / "outside"
        self._outside_again()
        self.work = folder / "work"
        self.sources = folder / "sources"
        case = Case.of("method=born_again", "generations=2", "optim.select=best", "optim.epochs=1")
        run = case.undisturbed(self.sources / "run/run")
        sweep = self.sources / "sweep"
        shutil.copytree(run, sweep / "0")
        for seed in range(1, 4):
            made_run(sweep / str(seed), seed, 0.8 + seed / 100)
        (sweep / "multirun.yaml").write_text("hydra: {}\n")
        shutil.copytree(claim, self.sources / "claim/claim")

    def one(self, kind: str, seed: int, figures: Figures, verbs: Sequence[tuple[str, ...]] = ()) -> None:
        """Change a copy of one source, and call every verb that reads its kind."""
        for verb in verbs or VERBS[kind]:
            chance = random.Random(f"{kind} {seed}")
            shutil.rmtree(self.work, ignore_errors=True)
            shutil.copytree(self.sources / kind, self.work / kind)
            changes = [self._change(self.work / kind, chance) for _ in range(chance.choice([1, 1, 2, 4]))]
            if chance.random() < 0.5:
                _seal(self.work / kind)
            words = [word.replace("%", str(self._target(kind))) for word in verb]
            ending = done(lambda words=words: self._call(words), limit=20)
            reason = self._reason(ending)
            row = " ".join(verb[:2] if verb[1] == "--repair" else verb[:1]).partition("=")[0]
            figures.add(row, self._outcome(ending, reason), f"seed {seed}, sdrun {' '.join(verb)}, {changes}: {reason}")

    def _outside_again(self) -> None:
        """Make what must stay as it is."""
        shutil.rmtree(self.outside, ignore_errors=True)
        (self.outside / "folder").mkdir(parents=True)
        for name in ("file", "folder/inner"):
            (self.outside / name).write_text("mine\n")
        self.before = helpers.tree(self.outside)

    def _target(self, kind: str) -> Path:
        inner = {"run": "run", "sweep": "", "claim": "claim"}[kind]
        return self.work / kind / inner

    def _call(self, arguments: list[str]) -> int:
        os.chdir(self.work)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (3 << 30), resource.RLIM_INFINITY))
        return sdrun(*arguments)

    def _reason(self, ending: Ending) -> str:
        after = helpers.tree(self.outside)
        if after != self.before:
            changed = [name for name in {**self.before, **after} if self.before.get(name) != after.get(name)]
            self._outside_again()
            return f"wrote outside: {changed}"
        if fault := ending.fault():
            return fault
        if "\x1b]0;" in ending.text or "\x1b[2J" in ending.text:
            return "an escape sequence reached the terminal"
        pages = [*self.work.glob("*.html"), *self.work.glob("*.md")]
        if any("<script>alert(1)" in page.read_text(errors="replace") for page in pages):
            return "a script reached the page"
        return ""

    @staticmethod
    def _outcome(ending: Ending, reason: str) -> str:
        return FAILED if reason else {0: "read", 1: "refused, exit 1", 2: "refused, exit 2"}[ending.code]

    # Changes ---------------------------------------------------------------------------------------------------------

    def _change(self, top: Path, chance: random.Random) -> str:
        places = [path for path in sorted(top.rglob("*")) if not path.is_symlink()]
        files = [path for path in places if path.is_file() and path.stat().st_nlink == 1] or [top / "none"]
        folders = [path for path in places if path.is_dir()]
        changes: list[Callable[[], str]] = [
            lambda: self._linked(chance.choice(files), chance),
            lambda: self._linked(chance.choice(folders), chance),
            lambda: self._document(chance.choice([f for f in files if f.suffix == ".json"] or files), chance),
            lambda: self._document(chance.choice([f for f in files if f.suffix == ".json"] or files), chance),
            lambda: self._settings(chance.choice([f for f in files if f.suffix == ".yaml"] or files), chance),
            lambda: self._bytes(chance.choice(files), chance),
            lambda: self._pickled(chance.choice([f for f in files if f.suffix in (".pt", ".npz")] or files), chance),
            lambda: self._foreign(chance.choice(folders), chance),
            lambda: self._other_kind(chance.choice(places), chance),
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
            import numpy as np

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


def _seal(top: Path) -> None:
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


VERBS: dict[str, list[tuple[str, ...]]] = {
    "run": [
        ("show", "%"),
        ("list", "%/.."),
        ("list", "%/..", "--where", "seed=0", "--format", "json"),
        ("compare", "%/.."),
        ("report", "%/..", "-o", "report.html"),
        ("resume", "%"),
        ("resume", "--repair", "%"),
        ("evaluate", "%"),
        ("init_from=%", "method=supervised", *helpers.SMALL, "optim.epochs=1", "hydra.run.dir=new"),
    ],
    "sweep": [
        ("list", "%"),
        ("list", "%", "--format", "csv", "--sort", "seed"),
        ("compare", "%", "--format", "html"),
        ("compare", "%/*", "--metric", "test/accuracy"),
        ("report", "%", "-o", "report.html"),
        ("show", "%/0"),
    ],
    "claim": [
        ("claims", "%"),
        ("claims", "%", "--keep", "kept", "-o", "page.md"),
        ("report", "%", "-o", "report.html"),
        ("list", "%"),
        ("compare", "%/method", "%/plain"),
    ],
}


def campaign(hostile: Hostile, kind: str, seeds: range) -> Figures:
    figures = Figures(f"Hostile folders: {kind}")
    for seed in seeds:
        hostile.one(kind, seed, figures)
    return figures
