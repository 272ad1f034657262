"""Command lines in a fresh interpreter, one after the other: what they print, and what they import."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

HEAVY = ("torch", "sklearn", "matplotlib", "tensorboard", "scipy")

CODE = """
import io, json, sys
from contextlib import redirect_stdout
from sdrun import cli
ended = []
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    with redirect_stdout(io.StringIO()) as said:
        try:
            code = cli.main()
        except SystemExit as end:
            code = end.code or 0
    ended.append((code, said.getvalue(), sorted(sys.modules)))
print(json.dumps(ended))
"""


@dataclass(frozen=True)
class Ended:
    """How a command line ended. ``heavy``: which of the packages that take long to import it or one before imported."""

    code: int
    out: str
    heavy: set[str]


def ended(*lines: Sequence[str]) -> list[Ended]:
    """Of ``sdrun LINE``, for each in turn."""
    command = [sys.executable, "-c", CODE, json.dumps(lines)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [Ended(code, out, set(HEAVY) & set(modules)) for code, out, modules in json.loads(done.stdout)]
