"""Images that nobody made for a classifier: the units of the game Wesnoth, in 21 folders, of many sizes."""

from pathlib import Path

import numpy as np
import pytest

from helpers import QUICK, settings, summary
from sdrun import tasks

UNITS = next(iter(sorted(Path("/usr/share/games/wesnoth").glob("*/data/core/images/units"))), None)
GROUP = "^[^/]+/[^/.-]+"
OWN = ("dataset=image_folder", f"dataset.root={UNITS}", "dataset.size=16", f"dataset.group='{GROUP}'")

pytestmark = pytest.mark.skipif(UNITS is None, reason="Debian's wesnoth-1.16-data is not installed")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return f"dataset.cache={tmp_path_factory.mktemp('cache')}"


def test_it_is_read_and_what_it_is_is_said(cache):
    published = tasks.load(settings(*OWN, cache).dataset)
    assert len(published.train) + len(published.test) > 5000
    assert (published.item.shape, len(published.classes)) == ((3, 16, 16), 21)
    left_out, brought, groups = published.facts
    assert left_out == "left out: 2 images without a class"
    assert brought.startswith("images of 70x70 to 180x180 are brought to 16x16, of ")
    assert groups == f"250 groups by {GROUP}, each on one side of a split"


def test_a_network_learns_from_it(cache, called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = ("method=supervised", "model.widths=[8,16]", "optim.epochs=3", *QUICK)
    code, text = called(*OWN, cache, *few, "hydra.run.dir=run")
    assert code == 0, text
    labels = tasks.load(settings(*OWN, cache).dataset).test.labels
    commonest = np.bincount(labels).max() / len(labels)
    assert summary(tmp_path / "run")["metrics"]["test/accuracy"] > 1.5 * commonest
