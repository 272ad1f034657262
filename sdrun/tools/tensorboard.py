"""``sdrun tensorboard [FOLDER]``: TensorBoard on all runs below a folder, each by a name that tells."""

import errno
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sdrun import tools
from sdrun.errors import InputError, RunError, require

if TYPE_CHECKING:
    from sdrun.comparison.folders import Found

EPILOG = """
It opens with curves of validation (1 val) and of training (2 train); the stages of a run follow one another. What a
stage measured once, such as test metrics, is a table under Text. HParams has, of finished runs, the method, the
settings that differ, and the metrics that decide. Further options, such as --samples_per_plugin=images=0, are those of
TensorBoard.
"""

PORT = 6006
MOST_NAMED = 5
REFRESH = 20.0
"""Seconds between two looks for new runs."""
GLANCE = 0.2
"""Seconds between two looks whether TensorBoard has started."""


def main(arguments: list[str]) -> None:
    """Stays until it is interrupted. Raises InputError where there is no run, or the port is not free."""
    parser = tools.parser("tensorboard", __doc__, epilog=EPILOG)
    parser.add_argument("folder", nargs="?", default="outputs", metavar="FOLDER", help="outputs")
    parser.add_argument("--where", nargs="+", default=[], metavar="KEY=VALUE", help="only runs with these settings")
    parser.add_argument("--port", type=int, metavar="N", help=f"{PORT}, or if that is in use another; 0: any")
    parser.add_argument("--host", default="localhost", metavar="NAME", help="localhost; 0.0.0.0: for other machines")
    options, more = parser.parse_known_args(arguments)
    from sdrun.comparison.board import Board
    from sdrun.settings.words import counted, filters

    wanted = filters(options.where, "--where")
    host, port = options.host, _free_port(options.host, options.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that TensorBoard ends with us
    with tempfile.TemporaryDirectory(prefix="sdrun-tensorboard-") as place, tempfile.TemporaryFile() as output:
        board, named = Board(options.folder, Path(place), wanted), set[Path]()
        everything = board.update()
        if not board.views:
            raise InputError(
                f"{options.folder} holds no run that logged anything" + " and has these settings" * bool(wanted)
            )
        _tell(everything, named)
        with Server(place, host, port, output, more) as server:
            server.start()
            print(f"{counted(len(board.views), 'run')} at {server.address}; Ctrl-C ends it", flush=True)
            while True:
                board.draw()
                server.wait(REFRESH)
                columns = board.columns
                _tell(board.update(), named)
                if columns and board.columns != columns:
                    server.start()


class Server:
    """TensorBoard on a folder, as a process that ends with the block; ``output``: a file for what it says."""

    def __init__(self, folder: str, host: str, port: int, output: BinaryIO, options: Sequence[str] = ()) -> None:
        self.command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--host", host]
        self.command += ["--port", str(port), "--reload_multifile", "true", *options]
        self.host, self.port, self._output = host, port, output
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def address(self) -> str:
        name = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/"

    def start(self) -> None:
        """Start it, also again, and wait until it answers. Raises RunError where it does not start."""
        self._end()
        self._process = subprocess.Popen(self.command, stdout=self._output, stderr=subprocess.STDOUT)
        while True:
            with suppress(OSError), socket.create_connection((self.host, self.port), timeout=GLANCE):
                return
            self.wait(GLANCE)

    def wait(self, seconds: float) -> None:
        """Let this time pass. Raises RunError where TensorBoard ends."""
        assert self._process
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            self._output.seek(0)
            lines = self._output.read().decode(errors="replace").splitlines()
            last = next((line for line in reversed(lines) if line.strip()), "without a word")
            raise RunError(f"TensorBoard ended: {last}")

    def _end(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


def _free_port(host: str, port: int | None) -> int:
    """That port, or where none is asked for the usual one or another. Raises InputError where it cannot be had."""
    wanted = PORT if port is None else port
    require(0 <= wanted < 2**16, "--port", f"{wanted} is none; they go from 0, for any that is free, to 65535")
    try:
        with socket.create_server((host, wanted), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
            return int(server.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE and port is None:
            return _free_port(host, 0)
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"--port: {port} is in use; give another one, or 0 for any that is free") from error
        raise InputError(f"--host {host}, --port {wanted}: cannot be used ({error.strerror})") from error


def _tell(everything: "Found", named: set[Path]) -> None:
    """Say which folders are not shown, each once."""
    from sdrun.comparison.folders import passed_over
    from sdrun.comparison.tables import aside

    skipped = [(path, reason) for path, reason in everything.skipped if path not in named]
    aside([f"cannot be read: {path}: {reason}" for path, reason in skipped[:MOST_NAMED]])
    aside([f"{len(skipped):,} cannot be read and are not shown"] if skipped else [])
    aside(passed_over([path for path in everything.links if path not in named]))
    named.update(everything.links, (path for path, _ in skipped))
