"""Stages that runs share: once there they are not trained again, and a run is whole without the store."""

import json
import os
import shutil
import signal
from pathlib import Path
from threading import Thread

import pytest
from faults.child import hygiene
from filelock import FileLock

from helpers import SMALL, differences, manifest, settings
from sdrun import loop, run
from sdrun.errors import Interrupted
from sdrun.storage.folder import RunFolder

BORN = ("method=born_again", "generations=2", "optim.max_steps=4")


@pytest.fixture
def trained(monkeypatch):
    """The names of the stages that were trained."""
    names, train = [], loop.train

    def noted(objective, stream, **options):
        names.append(stream.words[1])
        return train(objective, stream, **options)

    monkeypatch.setattr(loop, "train", noted)
    return names


def start(name: str, *overrides: str, store: str | None = "store") -> Path:
    run.start(settings(*SMALL, *BORN, *overrides), Path(name), [], store=Path(store) if store else None)
    return Path(name)


def entry() -> Path:
    """That of the first generation."""
    return next(file.parent for file in Path("store").glob("*/stage.json") if "generation_0" in file.read_text())


def test_what_is_the_same_is_trained_once_and_comes_out_as_if_it_had_not_been(trained):
    one, other = start("one"), start("other", "method.alpha=0.3")
    assert trained == [0, 1, 1]
    alone = start("alone", "method.alpha=0.3", store=None)
    assert differences(other, alone) == []
    assert hygiene(other) == hygiene(one) == []
    assert manifest(other)["shared"]["generation_0"]["run"] == "one"
    assert "shared" not in manifest(one)
    assert manifest(other)["teachers"] == manifest(alone)["teachers"]
    views = {path.parent.name for path in other.glob("tensorboard/*/events*")}
    assert views == {"generation_0", "generation_1", "ensemble"}


@pytest.mark.parametrize(
    "word", ["seed=1", "optim.lr=0.2", "log_every=1", "model.widths=[8,9]", "dataset.num_labels=60", "pictures=true"]
)
def test_what_differs_is_trained(trained, word):
    start("one", "generations=1")
    start("other", "generations=1", word)
    assert trained == [0, 0]


def test_a_run_is_whole_when_the_store_is_gone(trained):
    start("one")
    start("other", "method.alpha=0.3")
    shutil.rmtree("store")
    assert hygiene(Path("other")) == []
    assert RunFolder.open(Path("other")).lost() == []
    run.resume(Path("other"), repair=True)
    assert trained == [0, 1, 1]


def test_a_damaged_stage_is_trained_again_and_put_in_its_place(trained):
    one = start("one")
    weights = entry() / "stages/generation_0/last.pt"
    weights.unlink()  # it has the same content as the run's own, by a hard link
    weights.write_bytes(b"other")
    other = start("other", "method.alpha=0.3")
    assert trained == [0, 1, 0, 1]
    assert "shared" not in manifest(other)
    start("third", "method.alpha=0.7")
    assert trained == [0, 1, 0, 1, 1]
    assert hygiene(one) == []


def test_names_that_lead_out_of_the_store_are_none(trained):
    start("one")
    document = json.loads((entry() / "stage.json").read_text())
    document["files"]["../../one/config.yaml"] = document["files"]["stages/generation_0/last.pt"]
    (entry() / "stage.json").write_text(json.dumps(document))
    start("other", "method.alpha=0.3")
    assert trained == [0, 1, 0, 1]


def test_who_comes_while_another_trains_waits_for_it(trained, monkeypatch):
    start("one")
    key = entry().name
    shutil.move(entry(), "made")
    lock = FileLock(f"store/{key}.lock")
    lock.acquire()
    waiting = Thread(target=lambda: (Path("made").rename(f"store/{key}"), lock.release()))
    monkeypatch.setattr("sdrun.storage.store.sleep", lambda _: waiting.ident or waiting.start())
    start("other", "method.alpha=0.3")
    assert trained == [0, 1, 1]


def test_who_waits_heeds_a_signal(monkeypatch):
    start("one")
    key = entry().name
    shutil.rmtree(entry())
    with FileLock(f"store/{key}.lock"):
        monkeypatch.setattr("sdrun.storage.store.sleep", lambda _: signal_comes())
        with pytest.raises(Interrupted):
            start("other")
    assert manifest(Path("other"))["status"] == "interrupted"


def signal_comes() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_where_there_are_no_hard_links_it_is_copied(trained, monkeypatch):
    def refuses(*_):
        raise OSError

    monkeypatch.setattr("sdrun.storage.store.os.link", refuses)
    start("one")
    other = start("other", "method.alpha=0.3")
    assert trained == [0, 1, 1]
    assert (other / "stages/generation_0/last.pt").stat().st_nlink == 1
