"""Files are whole or absent, checkpoints notice damage, and the record holds every step once."""

import json
import resource
import signal
import threading

import pytest
import torch

from sdrun.errors import InputError, RunError
from sdrun.storage import hashed
from sdrun.storage.checkpoints import Checkpoints, load_state, save
from sdrun.storage.files import TEMPORARY, finite, write_bytes, write_json
from sdrun.storage.folder import RunFolder
from sdrun.storage.manifest import State
from sdrun.storage.record import Record

CPU = torch.device("cpu")
TOP = {"format": 2, "status": "running", "seed": 0, "method": "x", "dataset": "x", "data": {}}


@pytest.fixture
def small_disk():
    """Files cannot grow past 64 KiB, as on a full disk."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, limit[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    signal.signal(signal.SIGXFSZ, handler)


def new_run(folder):
    manifest = {"status": "running", "method": "x", "model": "x", "dataset": "x", "seed": 0, "overrides": []}
    manifest |= {"hardware": {"ranks": 1}, "data": {}, "teachers": {}, "wall_seconds": 0.0, "resumed": []}
    return RunFolder.create(folder / "run", manifest, "")


def test_a_failed_write_leaves_the_old_file_and_names_it(tmp_path, small_disk):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(OSError, match="file") as error:
        write_bytes(path, b"new" * 100_000)
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_leftovers_of_a_kill_are_removed_and_nothing_else(tmp_path):
    folder = new_run(tmp_path)
    left = [f"config.yaml{TEMPORARY}", f"stages/first/step_1.pt{TEMPORARY}", f"predictions/first.npz{TEMPORARY}"]
    others = ["Downloads/film.mkv.part", f"Downloads/film.mkv{TEMPORARY}", "film.mkv.part", "stages/first/film.part"]
    for name in left + others:
        (folder.path / name).parent.mkdir(exist_ok=True, parents=True)
        (folder.path / name).touch()
    with folder.locked():
        pass
    assert not [name for name in left if (folder.path / name).exists()]
    assert [name for name in others if (folder.path / name).exists()] == others


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "x.json", {"a": float("nan"), "b": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": None, "b": [None, 1.5]}
    assert finite((1, "x", None)) == [1, "x", None]


def test_two_checkpoints_are_kept_and_a_damaged_one_falls_back(tmp_path, caplog):
    keeper = Checkpoints(tmp_path)
    for step in (1, 2, 3):
        keeper.save(step, {"step": step, "tensor": torch.full((3,), step)})
    assert [path.name for path in sorted(tmp_path.glob("*.pt"))] == ["step_000000002.pt", "step_000000003.pt"]
    assert load_state(keeper.newest(), CPU)["step"] == 3
    newest = tmp_path / "step_000000003.pt"
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    with pytest.raises(RunError, match="is damaged"):
        load_state(newest, CPU)
    assert load_state(keeper.newest(), CPU)["step"] == 2
    assert not newest.exists()
    assert "step_000000003.pt is damaged" in caplog.text
    keeper.clear()
    assert keeper.newest() is None
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_without_its_hash_is_not_trusted(tmp_path):
    save(tmp_path / "x.pt", {"a": 1})
    (tmp_path / "x.pt.sha256").unlink()
    with pytest.raises(RunError, match="is damaged"):
        load_state(tmp_path / "x.pt", CPU)


def test_no_code_runs_from_a_checkpoint(tmp_path):
    class Hostile:
        def __reduce__(self):
            return ((tmp_path / "ran").touch, ())

    save(tmp_path / "x.pt", {"a": Hostile()})
    with pytest.raises(Exception, match="Weights only load failed"):
        load_state(tmp_path / "x.pt", CPU)
    assert not (tmp_path / "ran").exists()


def test_a_folder_is_claimed_once(tmp_path):
    claims = []

    def claim():
        try:
            claims.append(new_run(tmp_path))
        except InputError:
            claims.append(None)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in claims) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no run: manifest.json is not there$"),
        ("{", "manifest.json cannot be read"),
        ("[]", "manifest.json holds no JSON object"),
        ('{"format": 99}', "has format 99; this sdrun reads formats 1, 2, 3"),
        ('{"format": 2}', "manifest.json lacks status, seed, method, dataset, data; restore it"),
        (json.dumps({**TOP, "seed": "0"}), "manifest.json has another kind of value as seed than sdrun writes"),
        (json.dumps(TOP), "manifest.json lacks model, overrides, hardware"),
        (json.dumps({**TOP, "sha256": "0"}), "manifest.json is damaged: its SHA-256 is not the one inside it; restore"),
    ],
)
def test_a_folder_that_is_no_run_says_why(tmp_path, content, message):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=message):
        RunFolder.open(tmp_path)


def test_two_processes_cannot_write_one_run(tmp_path):
    folder = new_run(tmp_path)
    with folder.locked(), pytest.raises(InputError, match="being written by another process"), folder.locked():
        pass
    with folder.locked():
        pass


def shown(folder, stage):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder.tensorboard / stage))
    events.Reload()
    return {name: [(e.step, round(e.value, 5)) for e in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_going_back_drops_what_came_later_from_source_and_view(tmp_path):
    folder = new_run(tmp_path)
    record = Record(folder)
    record.begin("first", 10, 0)
    record.log(1, {"train/loss": 1.0})
    record.end()
    record.begin("second", 10, 0)
    record.log(1, {"train/loss": 0.5})
    saved = record.sync()
    record.log(2, {"train/loss": 0.4, "val/nll": float("nan")})
    record.close()
    with folder.metrics.open("a") as file:
        file.write('{"stage": "second", "cut off by a ki')

    record = Record(folder)
    record.begin("second", 10, saved)
    record.log(2, {"train/loss": 0.4, "val/nll": float("nan")})
    record.close()
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    found = [(line["stage"], line["step"], line["name"], line["value"]) for line in lines]
    assert found == [
        ("first", 1, "train/loss", 1.0),
        ("second", 1, "train/loss", 0.5),
        ("second", 2, "train/loss", 0.4),
        ("second", 2, "val/nll", None),
    ]
    assert shown(folder, "first") == {"train/loss": [(1, 1.0)]}
    assert shown(folder, "second") == {"train/loss": [(1, 0.5), (2, 0.4)]}


def test_what_a_failed_write_announced_is_taken_back(tmp_path, small_disk):
    folder = new_run(tmp_path)
    folder.write({"predictions/a.npz": b"old", "summary.json": b"{}"})
    for _ in range(2):
        with pytest.raises(OSError, match="File too large"):
            folder.write({"summary.json": b"{}  ", "predictions/a.npz": b"new" * 100_000})
    folder.write({"summary.json": b"{} "})
    assert folder.lost() == []
    assert RunFolder.open(folder.path).lost() == []


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_kill_between_announcement_and_file_leaves_the_old_one_whole(tmp_path, monkeypatch, is_listed):
    folder = new_run(tmp_path)
    if is_listed:
        folder.write({"summary.json": b"old"})
    else:  # as in a folder from before
        (folder.path / "summary.json").write_bytes(b"old")
    write = hashed.write_bytes

    def killed(path, data):
        if data == b"new":
            raise SystemExit
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(hashed, "write_bytes", killed)
        with pytest.raises(SystemExit):
            folder.write({"summary.json": b"new"})
    again = RunFolder.open(folder.path)
    assert again.state("summary.json") is State.whole
    with again.locked():
        assert again.state("summary.json") is State.whole
    (folder.path / "summary.json").write_bytes(b"other")
    assert again.state("summary.json") is State.damaged


def test_a_manifest_names_no_file_outside(tmp_path):
    folder = new_run(tmp_path)
    folder.update_manifest(files={"../../etc/passwd": "0"})
    with pytest.raises(InputError, match=r"manifest.json names ../../etc/passwd, which is no file of the run"):
        RunFolder.open(folder.path)
