"""Processes of a sweep, with work that takes no time: none can end another."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from sdrun.interrupt import Interrupt
from sdrun.job import BUSY
from sdrun.sweeps import process
from sdrun.sweeps.pool import Ended, Left, Pool, Started, State, Told
from sdrun.sweeps.process import Work


def says(code: int, text: str) -> int:
    print(text)
    return code


def raises() -> int:
    raise ValueError("as it happens")


def dies() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def counts() -> int:
    process.tell(os.environ["LOKY_MAX_CPU_COUNT"])
    return 0


def waits_for(file: str) -> int:
    with process.aside():
        while not Path(file).exists():
            time.sleep(0.02)
    return 0


def leaves(file: str) -> int:
    Path(file).touch()
    return 0


def is_patient(call) -> int:
    """Heeds no SIGTERM, as a run that saves first; for 20 seconds."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(20)
    return call()


def leaves_late(file: str) -> int:
    time.sleep(1)
    return leaves(file)


def is_busy_once(file: str) -> int:
    if Path(file).exists():
        return 0
    Path(file).touch()
    return BUSY


def sleeps() -> int:
    time.sleep(60)
    return 0


@pytest.fixture
def ran(tmp_path):
    """What a pool tells of these calls, by name."""

    def run(num: int, calls: dict, state=lambda name: State.free, interrupt: Interrupt | None = None):
        works = [Work(name, call, tmp_path / f"{name}.log") for name, call in calls.items()]
        return list(Pool(works, num, 4, state).run(interrupt or Interrupt()))

    return run


def codes(events) -> dict[str, int]:
    return {event.name: event.code for event in events if isinstance(event, Ended)}


def test_no_job_ends_another(ran, tmp_path):
    calls = {
        "good": partial(says, 0, "hello"),
        "bad": partial(says, 3, ""),
        "raises": raises,
        "exits": partial(os._exit, 7),
        "dies": dies,
        "last": partial(says, 0, ""),
    }
    events = ran(2, calls)
    assert codes(events) == {"good": 0, "bad": 3, "raises": 1, "exits": 7, "dies": -signal.SIGKILL, "last": 0}
    num_running = [0]
    for event in events:
        num_running.append(num_running[-1] + {Started: 1, Ended: -1}[type(event)])
    assert max(num_running) == 2
    assert (tmp_path / "good.log").read_text() == "hello\n"
    assert "ValueError: as it happens" in (tmp_path / "raises.log").read_text()


def test_each_has_its_share_of_the_cores(ran):
    assert [event.words for event in ran(2, {"a": counts, "b": counts}) if isinstance(event, Told)] == ["2", "2"]
    assert [event.words for event in ran(3, {"a": counts}) if isinstance(event, Told)] == ["1"]


def test_what_another_process_is_at_comes_later_and_what_it_made_is_left_alone(ran, tmp_path):
    looks = iter([State.busy, State.done])
    events = ran(
        1,
        {"other": partial(says, 3, ""), "own": partial(says, 0, "")},
        lambda name: next(looks) if name == "other" else State.free,
    )
    assert events == [Started("own"), Ended("own", 0), Ended("other", 0)]
    events = ran(1, {"met": partial(is_busy_once, str(tmp_path / "file"))})
    assert events == [Started("met"), Left("met"), Started("met"), Ended("met", 0)]


def test_one_that_waits_for_another_leaves_its_place(ran, tmp_path):
    file = str(tmp_path / "file")
    events = ran(1, {"waits": partial(waits_for, file), "makes": partial(leaves, file)})
    assert events == [Started("waits"), Started("makes"), Ended("makes", 0), Ended("waits", 0)]


def test_after_a_signal_nothing_is_started(tmp_path):
    works = [Work(name, sleeps, tmp_path / name) for name in ("one", "two")]
    interrupt, events = Interrupt(), []
    for event in Pool(works, 1, 1, lambda name: State.free).run(interrupt):
        events.append(event)
        interrupt.signum = signal.SIGTERM
    assert events == [Started("one"), Ended("one", -signal.SIGTERM)]


def test_when_time_is_up_nothing_is_started(ran):
    events = ran(1, {"one": sleeps, "two": sleeps}, interrupt=Interrupt(until=time.monotonic() + 1.0))
    assert events == [Started("one"), Ended("one", -signal.SIGTERM)]


def test_after_a_signal_one_that_waited_for_another_is_let_back_to_end(tmp_path):
    file, interrupt, events = str(tmp_path / "file"), Interrupt(), []
    calls = {"waits": partial(waits_for, file), "makes": partial(leaves_late, file)}
    works = [Work(name, partial(is_patient, call), tmp_path / name) for name, call in calls.items()]
    for event in Pool(works, 1, 1, lambda name: State.free).run(interrupt):
        events.append(event)
        if event == Started("makes"):
            time.sleep(0.5)  # until it heeds no signal
            interrupt.signum = signal.SIGTERM
    assert codes(events) == {"waits": 0, "makes": 0}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="/proc tells what a process has open")
def test_nothing_is_left_of_many(ran):
    ran(2, {"first": partial(says, 0, "")})
    before = os.listdir("/proc/self/fd")
    events = ran(4, {str(number): partial(says, 0, "") for number in range(40)})
    assert len(codes(events)) == 40
    assert len(os.listdir("/proc/self/fd")) == len(before)
