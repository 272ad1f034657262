"""What every method that needs no images keeps on vectors, without a line of its own for them."""

from pathlib import Path

import numpy as np
import pytest
from owned import npz, vectors

from helpers import differences, in_pieces, points, start, summary
from processes import on_ranks
from sdrun import methods

SEVERAL = Path(__file__).parent.parent / "several.py"
X, Y = vectors(75)
SHARES = np.random.default_rng(0).dirichlet(np.ones(3), 75).astype(np.float32)

VECTORS = (
    "dataset=vectors",
    "dataset.num_labels=40",
    "model.width=8",
    "optim.batch_size=20",
    "optim.epochs=3",
    "log_every=2",
    "hardware.device=cpu",
    "hardware.threads=1",
    "hardware.precision=fp32",
)
METHODS = [name for name in methods.names() if methods.settings_class(name).takes is None]
OVER_RANKS = ("consistency", "cs_kd", "ps_kd")
"""Those in which a rank learns of the items of others, or looks up items by their place."""
FURTHER = {"born_again": ("generations=2",)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return f"dataset.root={npz(tmp_path_factory.mktemp('files') / 'a.npz', x=X, y=Y)}"


@pytest.mark.parametrize("name", METHODS)
def test_it_resumes_bitwise(name, root, tmp_path, monkeypatch):
    asked = (root, f"method={name}", *FURTHER.get(name, ()))
    whole = start(tmp_path / "whole", *asked, base=VECTORS)
    in_pieces(tmp_path / "run", monkeypatch, *VECTORS, *asked)
    assert differences(whole, tmp_path / "run") == []


def test_two_ranks_train_as_one_on_shares_of_classes(tmp_path):
    """Several methods in two processes, whose start takes longer than all of their steps."""
    more = (f"dataset.root={npz(tmp_path / 'a.npz', x=X, y=SHARES)}", "log_every=1", "optim.max_steps=3")
    on_ranks(2, str(tmp_path / "two"), ",".join(OVER_RANKS), *VECTORS, *more, program=(str(SEVERAL),))
    for name in OVER_RANKS:
        one = start(tmp_path / name, *more, f"method={name}", base=VECTORS)
        losses = [[p[4] for p in points(path) if p[3] == "train/loss"] for path in (one, tmp_path / "two" / name)]
        assert len(losses[0]) > 2
        assert losses[1] == pytest.approx(losses[0], rel=1e-4), name


def test_it_is_evaluated_again_and_shown(root, tmp_path, called):
    path = start(tmp_path / "run", root, "method=supervised", "optim.epochs=1", base=VECTORS)
    code, text = called("evaluate", str(path))
    assert code == 0, text
    (again,) = (path / "evaluations").iterdir()
    assert summary(again)["metrics"].items() <= summary(path)["metrics"].items()
    code, text = called("show", str(path))
    assert code == 0, text
    code, text = called("doctor", str(path))
    assert code == 0, text


@pytest.mark.pictures
def test_it_is_judged_with_pictures_of_answers_and_none_of_vectors(root, tmp_path):
    path = start(tmp_path / "run", root, "method=mean_teacher", "optim.epochs=1", base=VECTORS)
    assert "left out" not in (path / "run.log").read_text()
