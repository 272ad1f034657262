"""Two ranks train as one. Their start takes longer than all of their steps, so that most runs share one."""

import os
import pickle
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from owned import npz, vectors

from further import EXAMPLE, METHODS, example, method
from helpers import SMALL_TEXTS, SMALL_VECTORS, SMALL_VIT, differences, points, settings, start, weights

SEVERAL = Path(__file__).parent.parent / "several.py"

ADAPTIVE = ("method.fairness=0.5", "method.threshold_momentum=0.5")
OVER_RANKS = ("consistency", "cs_kd", "ps_kd")
"""In which a rank learns of the items of others, or looks up items by their place."""
MASKS = {"flexmatch": ("method.threshold=0.12",), "freematch": ADAPTIVE}

RUNS = {
    **{name: (*SMALL_VIT, *method(name, "images without BatchNorm"), "optim.lr=0.02") for name in METHODS},
    "consistency on texts": (*SMALL_TEXTS, "dataset.num_labels=60", *method("consistency", "texts")),
    "prototypes shared by sinkhorn": (*SMALL_VIT, "method=dino", "method.centring=sinkhorn", "optim.lr=0.02"),
    **{name: (*SMALL_VIT, f"method={name}", "optim.lr=0.05", *more) for name, more in MASKS.items()},
}
CONTROLLED = {"born_again": "classmean", "mean_teacher": "shuffled"}
RUNS |= {
    f"{name} under {control}": (*SMALL_VIT, *method(name), "optim.lr=0.02", f"control={control}")
    for name, control in CONTROLLED.items()
}
RUNS |= {f"{name} on shares of classes": (*SMALL_VECTORS, f"method={name}", "log_every=1") for name in OVER_RANKS}
RUNS = {name: (*overrides, "optim.epochs=2") for name, overrides in RUNS.items()}


@pytest.fixture(scope="module", autouse=True)
def _with_example():
    with example():
        yield


def on_two_ranks(*arguments: str) -> None:
    """A program of Python by two processes of torchrun."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The overrides of each run, with the file that those on vectors need."""
    x, _ = vectors(75)
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 75).astype(np.float32)
    file = npz(tmp_path_factory.mktemp("files") / "a.npz", x=x, y=shares)
    return {name: (*own, *[f"dataset.root={file}"] * ("dataset=vectors" in own)) for name, own in RUNS.items()}


@pytest.fixture(scope="module")
def two(asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    file = folder / "asked.pickle"
    file.write_bytes(pickle.dumps({folder / name: (settings(*own), own) for name, own in asked.items()}))
    on_two_ranks(str(SEVERAL), str(file))
    return folder


@pytest.fixture(scope="module")
def one(asked, tmp_path_factory):
    """A run on one rank, made when it is asked for."""

    @cache
    def run(name):
        return start(tmp_path_factory.mktemp("one") / "run", *asked[name], base=())

    return run


@pytest.mark.parametrize("name", RUNS)
def test_the_loss_is_one_ranks_up_to_rounding(name, one, two):
    logged = [points(path) for path in (one(name), two / name)]
    assert [point[:4] for point in logged[0]] == [point[:4] for point in logged[1]]
    losses = [[point[4] for point in each if point[3] == "train/loss"] for each in logged]
    assert len(losses[0]) > 2
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize("name", MASKS)
def test_what_the_mask_learns_is_of_all_ranks(name, one, two):
    state = [weights(path) for path in (one(name), two / name)]
    names = [key for key in state[0] if "/last/mask." in key]
    assert names
    for key in names:
        torch.testing.assert_close(state[0][key].float(), state[1][key].float(), rtol=1e-3, atol=1e-5)


def test_the_command_line_on_two_ranks_gives_the_same(two, tmp_path):
    """Of a plugin, which each of them loads."""
    on_two_ranks("-m", "sdrun", "--plugin", str(EXAMPLE), *RUNS["r_drop"], f"hydra.run.dir={tmp_path / 'run'}")
    assert differences(two / "r_drop", tmp_path / "run") == []
