"""A reader, a disk or a terminal that goes away ends no run; a terminal that is closed is a signal."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from faults import child

from helpers import SMALL, summary
from sdrun.errors import Interrupted
from sdrun.interrupt import Interrupt

PATIENT = "import sys; from sdrun.terminal import be_patient; be_patient(); "
RUN = ["method=supervised", *SMALL, "hydra.run.dir=run"]


def python(code, **options):
    return subprocess.run([sys.executable, "-c", PATIENT + code], stderr=subprocess.PIPE, text=True, **options)


def test_output_goes_on_after_its_reader_went_away():
    reader, writer = os.pipe()
    os.close(reader)
    done = python("[print(i) for i in range(10**5)]; print('still here', file=sys.stderr)", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "still here\n")


@pytest.mark.parametrize("redirect", [">/dev/full", ">&-"])
def test_output_may_be_full_or_closed(redirect):
    code = "print('lost'); sys.stdout and sys.stdout.flush(); print('still here', file=sys.stderr)"
    done = subprocess.run(
        f'{sys.executable} -c "{PATIENT}{code}" {redirect}', shell=True, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "still here\n")


def test_what_an_encoding_lacks_is_shown_as_escapes():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = python("print('\\u00e9 \\ud800 ok')", stdout=subprocess.PIPE, env=environment)
    assert (done.stdout, done.stderr) == ("\\xe9 \\ud800 ok\n", "")


def test_the_first_line_is_enough_for_a_reader_and_the_run_is_completed(tmp_path):
    reader, writer = os.pipe()

    def run():
        os.close(reader)
        os.dup2(writer, 1)
        return child.sdrun(*RUN, "optim.epochs=1")

    process = child.forked(run)
    os.close(writer)
    with os.fdopen(reader) as lines:
        first = next(lines)
    done = process.end()
    assert (first, done.code, done.err) == ("Run run\n", 0, "")
    assert summary(tmp_path / "run")["status"] == "completed"
    assert "Run          run" in (tmp_path / "run/run.log").read_text()


def test_a_closed_terminal_saves_and_exits_with_129(tmp_path):
    def run():
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # tests that run under nohup ignore it
        return child.sdrun(*RUN, "optim.epochs=100000")

    process, terminal = child.on_terminal(run)
    while b"samples/s" not in os.read(terminal, 65536):
        pass
    os.close(terminal)
    assert process.end().code == 129
    assert summary(tmp_path / "run")["status"] == "interrupted"
    assert list((tmp_path / "run/stages/supervised").glob("step_*.pt"))


@pytest.mark.parametrize(("before", "noted"), [(signal.SIG_DFL, signal.SIGHUP), (signal.SIG_IGN, None)])
def test_a_hangup_is_left_alone_where_it_is_ignored(before, noted):
    earlier = signal.signal(signal.SIGHUP, before)
    try:
        with Interrupt() as interrupt:
            signal.raise_signal(signal.SIGHUP)
            assert interrupt.signum == noted
        assert signal.getsignal(signal.SIGHUP) == before
    finally:
        signal.signal(signal.SIGHUP, earlier)


def test_where_nothing_is_lost_a_signal_is_heeded_at_once_also_one_that_came_before():
    reached = []
    with Interrupt() as interrupt:
        for place in ("begun", "begun again"):
            with suppress(Interrupted), interrupt.at_once():
                reached.append(place)
                signal.raise_signal(signal.SIGTERM)
                reached.append("gone on")
        assert (reached, interrupt.signum) == (["begun"], signal.SIGTERM)


def test_a_name_sends_nothing_to_the_terminal(called, tmp_path):
    name = "run\x1b]0;owned\x07\x1b[31m"
    code, text = called("resume", name)
    assert (code, text) == (2, "sdrun: run\\x1b]0;owned\\x07\\x1b[31m holds no run: manifest.json is not there\n")
    from helpers import start

    start(tmp_path / name, "method=supervised", "optim.epochs=1")
    code, text = called("resume", str(tmp_path / name))
    assert code == 0
    assert "\x1b" not in text
