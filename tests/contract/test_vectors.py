"""What every method that needs no images keeps on vectors, without a line of its own for them."""

import pytest
from owned import npz, vectors

from further import method
from helpers import SMALL_VECTORS, differences, in_pieces, start, summary
from sdrun import methods

X, Y = vectors(75)
METHODS = [name for name in methods.names() if methods.settings_class(name).takes is None]
FURTHER = {
    "born_again": ("generations=2",),
    "compress": ("method.alone=false", "optim.epochs=2"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return f"dataset.root={npz(tmp_path_factory.mktemp('files') / 'a.npz', x=X, y=Y)}"


@pytest.mark.parametrize("name", METHODS)
def test_it_resumes_bitwise(name, root, tmp_path, monkeypatch):
    teacher = start(tmp_path / "teacher", root, "method=supervised", base=SMALL_VECTORS)
    asked = (root, *method(name, "vectors", str(teacher)), *FURTHER.get(name, ()))
    whole = start(tmp_path / "whole", *asked, base=SMALL_VECTORS)
    in_pieces(tmp_path / "run", monkeypatch, *SMALL_VECTORS, *asked)
    assert differences(whole, tmp_path / "run") == []


def test_it_is_evaluated_again_and_shown(root, tmp_path, called):
    path = start(tmp_path / "run", root, "method=supervised", "optim.epochs=1", base=SMALL_VECTORS)
    code, text = called("evaluate", str(path))
    assert code == 0, text
    (again,) = (path / "evaluations").iterdir()
    assert summary(again)["metrics"].items() <= summary(path)["metrics"].items()
    code, text = called("show", str(path))
    assert code == 0, text
    code, text = called("doctor", str(path))
    assert code == 0, text


def test_it_is_judged_with_pictures_of_answers_and_none_of_vectors(root, tmp_path):
    drawn = ("method=mean_teacher", "optim.epochs=1", "pictures=true")
    path = start(tmp_path / "run", root, *drawn, base=SMALL_VECTORS)
    assert "left out" not in (path / "run.log").read_text()
