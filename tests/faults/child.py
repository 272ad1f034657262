"""Children forked from a process that has imported everything: a run without the wait for its imports."""

import fcntl
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import helpers
from sdrun import cli, run
from sdrun.job import report
from sdrun.settings import Settings
from sdrun.storage.folder import RunFolder

LIMIT = 120
"""Seconds after which a child counts as hanging."""

PIPE_SIZE = 1 << 20

RAISED = 70
"""The exit code of a child out of which an exception came."""

PROGRAMMERS = re.compile(
    r"Traceback \(most recent|^(sdrun: |.*cannot be read.*: )?\w+(Error|Exception): ", re.MULTILINE
)
"""What is said to programmers and not to people."""


@dataclass(frozen=True)
class Ending:
    """How a child ended. ``code`` is negative for a signal."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL

    def fault(self) -> str:
        """In which way no command may end, or an empty text."""
        if self.code == -signal.SIGALRM:
            return "hang"
        if self.code not in (0, 1, 2) or PROGRAMMERS.search(self.text):
            return f"exit {self.code}: {self.text[-1500:]}"
        return ""


@dataclass(frozen=True)
class Child:
    """A process, and the pipes that it writes to; they hold all that a command says."""

    pid: int
    pipes: tuple[int, int]

    def end(self) -> Ending:
        """Wait for it."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return Ending(code, *map(_drained, self.pipes))


def _drained(pipe: int) -> str:
    os.set_blocking(pipe, False)  # a process of the child's own may live on
    with os.fdopen(pipe, "rb", buffering=0) as stream:
        return (stream.readall() or b"").decode(errors="replace")


def forked(work: Callable[[], int | None], limit: int = LIMIT) -> Child:
    """Start ``work`` in a child, which ends with what it returns as the exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    pipes = [os.pipe() for _ in range(2)]
    for pipe, _ in pipes:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    pid = os.fork()
    if pid:
        for _, end in pipes:
            os.close(end)
        return Child(pid, (pipes[0][0], pipes[1][0]))
    code: int | None = RAISED
    try:
        signal.alarm(limit)
        for number, (_, end) in enumerate(pipes, start=1):
            os.dup2(end, number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        code = work()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code or 0)


def on_terminal(work: Callable[[], int | None]) -> tuple[Child, int]:
    """Start ``work`` in a child that a new terminal controls and shows the output of; also the terminal's other end."""
    main, follower = os.openpty()

    def there() -> int | None:
        os.setsid()
        os.close(main)
        terminal = os.open(os.ttyname(follower), os.O_RDWR)  # which makes it the one that controls the session
        for number in (0, 1, 2):
            os.dup2(terminal, number)
        return work()

    child = forked(there)
    os.close(follower)
    return child, main


def done(work: Callable[[], int | None], limit: int = LIMIT) -> Ending:
    return forked(work, limit).end()


def sdrun(*arguments: object) -> int:
    """The command line, in this process, which has imported everything."""
    sys.argv = ["sdrun", *map(str, arguments)]
    return cli.main()


def really(*arguments: object) -> int:
    """The command line, in a fresh interpreter in the place of this process."""
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    os.execv(sys.executable, [sys.executable, "-m", "sdrun", *map(str, arguments)])


@dataclass(frozen=True)
class Case:
    """A small run, composed once."""

    name: str
    overrides: tuple[str, ...]
    settings: Settings

    @classmethod
    def of(cls, *overrides: str) -> "Case":
        name = overrides[0].partition("=")[2]
        return cls(name, overrides, helpers.settings(*helpers.SMALL, *overrides))

    def start(self, path: Path) -> int:
        """The run in ``path``, as the command line would start it."""
        try:
            run.start(self.settings, path, list(self.overrides))
        except Exception as error:
            return report(error)
        return 0

    def go_on(self, path: Path) -> int:
        """What a person does after a kill."""
        return sdrun("resume", path) if (path / "manifest.json").exists() else self.start(path)

    def undisturbed(self, path: Path) -> Path:
        """The run with which the others are compared; it also warms this process up."""
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            run.start(self.settings, path, list(self.overrides))
        return path


def hygiene(path: Path) -> list[str]:
    """What a finished run folder should not have, or lacks."""
    folder = RunFolder.open(path)
    left = [str(file.relative_to(path)) for file in path.rglob("*") if is_left_over(file)]
    points = [point[:4] for point in helpers.points(path)]
    wrong = {
        f"status {folder.status}": folder.status != "completed" or helpers.summary(path)["status"] != "completed",
        f"left over: {left}": bool(left),
        f"lost: {folder.lost()}": bool(folder.lost()),
        "points twice": len(points) != len(set(points)),
        "still announced": "writing" in folder.manifest,
    }
    return [text for text, is_wrong in wrong.items() if is_wrong]


def is_left_over(file: Path) -> bool:
    return file.name.endswith(".sdrun-part") or file.name.startswith("step_")
