"""What a sweep keeps of itself, and what is refused of a folder that may come from anywhere."""

import json
import multiprocessing

import pytest

from sdrun.errors import InputError
from sdrun.storage.sweeps import Busy, Command, Job, SweepFolder, is_held, job_held
from sdrun.sweeps.asked import words_of

COMMAND = Command(["seed=0,1"], "/nowhere")
QUEUED = {"overrides": [], "status": "queued", "reason": ""}


@pytest.fixture
def folder(tmp_path):
    folder = SweepFolder.begin(tmp_path / "s", COMMAND)
    with folder.updating():
        folder.jobs["0000"] = Job(["seed=0"])
    return folder


def changed(folder, **entries) -> None:
    file = folder.path / "sweep.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


def test_two_processes_at_one_sweep_see_what_the_other_wrote(folder):
    other = SweepFolder.open(folder.path)
    with other.updating():
        other.jobs["0001"] = Job(["seed=1"])
    folder.note("0000", "failed", "killed")
    other.note("0001", "completed")
    assert folder.jobs["0000"] == Job(["seed=0"], "failed", "killed")
    assert SweepFolder.open(folder.path).jobs == {"0000": folder.jobs["0000"], "0001": Job(["seed=1"], "completed")}


def test_a_new_one_takes_no_folder_of_another(folder):
    with pytest.raises(InputError, match="holds a sweep already; go on with it by: sdrun resume"):
        SweepFolder.begin(folder.path, COMMAND, is_new=True)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", ".locks/x", "logs", ".store/x", "link/x", ".", "a//b"])
def test_jobs_lie_in_the_sweep(folder, name, tmp_path):
    (folder.path / "link").symlink_to(tmp_path)
    changed(folder, jobs={name: QUEUED})
    with pytest.raises(
        InputError, match="holds no sweep: sweep.json names the job .*, which is no folder of the sweep"
    ):
        SweepFolder.open(folder.path)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"format": 9}, "sweep.json has format 9; this sdrun reads format 1"),
        ({"jobs": {"a": {"overrides": "x"}}}, "another kind of value as jobs.a.overrides than sdrun writes"),
        ({"jobs": {"a": {"overrides": []}}}, "sweep.json, a lacks status, reason"),
        ({"command": {}}, "sweep.json, command lacks overrides"),
        (
            {"jobs": {"a": {**QUEUED, "overrides": ["hydra.sweep.dir=/x"]}}},
            "hydra.sweep.dir=/x, which is no setting of a run",
        ),
        ({"jobs": {"a": {**QUEUED, "overrides": ["--plugin=x"]}}}, "--plugin=x, which is no setting of a run"),
        ({"command": {**vars(COMMAND), "overrides": ["-cd=/x"]}}, "-cd=/x, which is no setting of a run"),
    ],
)
def test_what_is_no_sweep_is_named(folder, entries, message):
    changed(folder, **entries)
    with pytest.raises(InputError, match=message):
        SweepFolder.open(folder.path)


@pytest.mark.parametrize("name", ["sweep.json", ".locks", "logs", ".store"])
def test_nothing_is_written_through_a_link(tmp_path, name):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / name).symlink_to(tmp_path / "other")
    with pytest.raises(InputError, match="is a link, through which nothing is written"):
        SweepFolder.begin(tmp_path / "s", COMMAND)


def hold(path, held, end) -> None:
    with job_held(path, "a/b"):
        held.set()
        end.wait()


def test_a_job_is_held_by_one_process_which_lets_go_when_it_is_killed(tmp_path):
    context = multiprocessing.get_context("fork")
    held, end = context.Event(), context.Event()
    process = context.Process(target=hold, args=(tmp_path, held, end))
    process.start()
    held.wait()
    assert is_held(tmp_path, "a/b")
    with pytest.raises(Busy, match="is being run by another process; wait for it"), job_held(tmp_path, "a/b"):
        pass
    process.kill()
    process.join()
    assert not is_held(tmp_path, "a/b")


def test_what_goes_on_is_what_was_asked_for_with_values_in_the_place_of_others(folder, monkeypatch):
    monkeypatch.chdir(folder.path.parent)
    assert words_of(folder.path, []) == ["-m", "seed=0,1", "hydra.sweep.dir=s", "hydra.sweeper.resumes=true"]
    words = words_of(folder.path, ["seed=3,4", "jobs=1"])
    assert words[1:3] == ["seed=3,4", "hydra.launcher.jobs=1"]
    with pytest.raises(InputError, match="seed: should be KEY=VALUE"):
        words_of(folder.path, ["seed"])
