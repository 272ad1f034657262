"""A task that no one thought of, as new files alone: bags of words, their model, a method. And new images."""

from pathlib import Path

import pytest

from further import ROOMS, further_rooms, searched
from helpers import QUICK, differences, in_pieces, settings, summary
from sdrun import methods, models, run, tasks
from sdrun.tasks.images import sources

CONF = searched(ROOMS / "conf")
FEW = ("optim.batch_size=20", "log_every=2", *QUICK)
BAGS = (CONF, "dataset=bags", "model=words", *FEW)


@pytest.fixture(scope="module", autouse=True)
def _with_rooms():
    folders = {room: ROOMS / room.__name__.rpartition(".")[2] for room in (methods, models, tasks, sources)}
    with further_rooms(folders):
        yield


def start(path: Path, *overrides: str) -> Path:
    run.start(settings(*overrides), path, list(overrides))
    return path


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "toy", *BAGS, "method=toy")


def test_a_new_method_learns_it(toy):
    kept = summary(toy)
    assert [stage["name"] for stage in kept["stages"]] == ["first", "second"]
    assert kept["metrics"]["test/accuracy"] > 0.6


def test_it_is_judged_with_pictures_of_answers_and_none_of_items(tmp_path):
    path = start(tmp_path / "run", *BAGS, "method=supervised", "optim.epochs=1", "pictures=true")
    assert "left out" not in (path / "run.log").read_text()


def test_it_resumes_bitwise(toy, tmp_path, monkeypatch):
    in_pieces(tmp_path / "run", monkeypatch, *BAGS, "method=toy")
    assert differences(toy, tmp_path / "run") == []


@pytest.mark.parametrize("name", ["born_again", "mean_teacher"])
def test_methods_that_never_heard_of_it_learn_it(name, tmp_path):
    path = start(tmp_path / "run", *BAGS, f"method={name}", "dataset.num_labels=60", "optim.epochs=2")
    assert summary(path)["metrics"]["test/accuracy"] > 0.5


def test_it_is_evaluated_again(toy, called):
    code, text = called("evaluate", str(toy))
    assert code == 0, text
    (again,) = (toy / "evaluations").iterdir()
    assert summary(again)["metrics"].items() <= summary(toy)["metrics"].items()


def test_it_is_compared(tmp_path, called):
    for seed in (0, 1):
        for name in ("supervised", "toy"):
            start(tmp_path / f"runs/{name}_{seed}", *BAGS, f"method={name}", f"seed={seed}", "optim.epochs=1")
    code, text = called("compare", "runs", "--metric", "test/accuracy", "--format", "md")
    assert code == 0, text
    assert "| supervised | 2 |" in text
    assert "| toy | 2 |" in text


def test_a_model_of_images_is_refused(tmp_path, called):
    code, text = called(CONF, "dataset=bags", "model=cnn", "hydra.run.dir=run")
    assert (code, text) == (2, "sdrun: model: cnn takes images, and dataset=bags has bags\n")
    assert not list(tmp_path.iterdir())


def test_new_images_are_one_file_and_its_settings(tmp_path):
    path = start(tmp_path / "run", CONF, "dataset=dots", "model.widths=[4]", "method=supervised", *FEW)
    assert summary(path)["metrics"]["test/accuracy"] > 0.5
