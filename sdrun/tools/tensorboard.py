"""``sdrun tensorboard [FOLDER]``: TensorBoard on all runs below a folder, by names that say what they are."""

import argparse
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrun.comparison.runs import Found

MOST_NAMED = 5
REFRESH = 20.0
"""Seconds between two looks for new runs."""


def main(arguments: list[str]) -> None:
    """Stays until it is interrupted; further options are TensorBoard's. Raises InputError where there is no run."""
    parser = argparse.ArgumentParser(prog="sdrun tensorboard", description=__doc__)
    parser.add_argument("folder", nargs="?", default="outputs", metavar="FOLDER", help="outputs")
    parser.add_argument("--where", nargs="+", default=[], metavar="KEY=VALUE", help="only runs with these settings")
    options, more = parser.parse_known_args(arguments)
    from sdrun.comparison.board import link
    from sdrun.errors import InputError
    from sdrun.settings.words import filters

    wanted = filters(options.where, "--where")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that TensorBoard ends with us
    with tempfile.TemporaryDirectory(prefix="sdrun-tensorboard-") as place:
        looked: list[Found] = []
        num = link(options.folder, Path(place), wanted, looked.append)
        said: set[Path] = set()
        if not num:
            raise InputError(
                f"{options.folder} holds no run with a view for TensorBoard" + (" and these settings" * bool(wanted))
            )
        print(f"{num:,} runs; Ctrl-C ends it", flush=True)
        _tell(looked.pop(), said)
        board = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", place, *more])
        try:
            while board.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    board.wait(REFRESH)
                link(options.folder, Path(place), wanted, lambda everything: _tell(everything, said))
        finally:
            board.terminate()
            board.wait()


def _tell(everything: "Found", said: set[Path]) -> None:
    """Say which folders are not shown, each once."""
    from sdrun.comparison.runs import passed_over
    from sdrun.comparison.tables import aside

    skipped = [(path, reason) for path, reason in everything.skipped if path not in said]
    aside([f"cannot be read: {path}: {reason}" for path, reason in skipped[:MOST_NAMED]])
    aside([f"{len(skipped):,} cannot be read and are not shown"] if skipped else [])
    aside(passed_over([path for path in everything.links if path not in said]))
    said.update(everything.links, (path for path, _ in skipped))
