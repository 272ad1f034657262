"""Those faults that a test suite can afford, and faults in sdrun itself that must be seen; see ``make faults``."""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from faults import damage, disk, hostile, kills, sweeps
from faults.__main__ import CLAIM, case
from faults.child import sdrun
from faults.figures import Figures
from sdrun.storage.folder import RunFolder

CHANCE = random.Random(0)
WAYS = list(kills.DEATHS)


@pytest.fixture
def figures() -> Figures:
    return Figures("")


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder in memory, where there is such a place."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as place:
        yield Path(place)


def made(place: Path) -> Path:
    place.mkdir()
    return place


@pytest.fixture(scope="module")
def born_again(memory):
    return kills.Kills(case("born_again"), made(memory / "born_again"))


@pytest.fixture(scope="module")
def damaged(memory, born_again):
    return damage.Damage(made(memory / "damaged"), born_again.whole)


@pytest.fixture(scope="module")
def disks(memory, born_again):
    return disk.Disks(made(memory / "disks"), born_again.whole)


@pytest.fixture(scope="module")
def folders(memory):
    return hostile.Hostile(made(memory / "folders"), CLAIM)


@pytest.mark.parametrize("ways", [WAYS[:3], WAYS[3:6], WAYS[6:]], ids=" + ".join)
def test_killed_and_killed_again_as_it_resumes(born_again, figures, ways):
    deaths = [(how, CHANCE.randrange(born_again.num(how) // 3)) for how in ways]
    born_again.at_moments(deaths, figures)
    assert figures.failures == []
    assert figures.counts[ways[0]]["kills"] >= 2


def test_killed_at_random_moments(born_again, figures):
    born_again.at_random(3, CHANCE, figures)
    assert figures.failures == []


def test_a_kill_that_costs_something_is_caught(born_again, figures):
    """Without the look at the record, points are there twice."""
    with patch("sdrun.storage.record.Record._keep", lambda *_: []):
        born_again.at_moments([("after a line", 2)], figures)
    assert "points twice" in figures.failures[0]


@pytest.mark.parametrize("command", damage.COMMANDS)
def test_damaged_files_are_made_again_or_named(damaged, figures, command):
    for name, way in CHANCE.sample(damaged.trials(command), 3):
        damaged.one(command, name, way, figures)
    assert figures.failures == []


def test_damage_without_a_word_is_caught(damaged, figures):
    with patch.object(RunFolder, "damaged_weights", lambda _: []):
        damaged.one("resume --repair", "stages/generation_0/last.pt", "middle bit flipped", figures)
    assert "without a word" in figures.failures[0]


def test_files_that_cannot_grow(disks, figures):
    disks.with_small_files(5000, sdrun, figures)
    assert figures.failures == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
def test_a_disk_that_fills_up(disks, figures):
    disks.on_tmpfs("size=140k", sdrun, figures)
    assert figures.failures == []


def test_a_folder_that_is_moved_in_mid_run(disks, figures):
    disks.with_vanishing("moved", sdrun, figures)
    assert figures.failures == []


@pytest.mark.parametrize("kind", hostile.VERBS)
def test_hostile_folders(folders, figures, kind):
    folders.one(kind, 1000, figures)
    assert figures.failures == []


def test_writing_through_a_link_is_caught(folders, figures):
    link = "run.log is a link to file"
    with (
        patch("sdrun.storage.folder.refuse_strange", lambda _: None),
        patch.object(hostile.Changes, "one", lambda self, top, chance: self.link(top / "run/run.log", "file")),
    ):
        folders.one("run", 0, figures, [("resume", "--repair", "%")])
    assert link in figures.failures[0]
    assert "wrote outside: ['file']" in figures.failures[0]


def test_a_sweep_of_which_processes_are_killed_comes_out_as_if_none_had_been(memory):
    words = ("method=supervised", "seed=0,1,2", "checkpoint_seconds=0")
    figures = sweeps.campaign(made(memory / "sweeps"), random.Random(1), 2, 1.0, *words)
    assert figures.failures == []
    assert figures.counts["runs"] == {"equal": 3}
    assert sum(figures.counts["killed"].values()) > 0
