"""Images in arrays: every form gives the same bytes, and what are no such images is said in one line."""

import numpy as np
import pytest
from owned import load, npz

from helpers import QUICK, start, summary
from sdrun import tasks
from sdrun.errors import InputError

GREY = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (40, 3, 6, 6), dtype=np.uint8)
Y = np.arange(40) % 2


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr(tasks, "_loaded", {})


def images(tmp_path, x):
    """All of them in their order, as they are read."""
    file = npz(tmp_path / "a.npz", train_x=x, train_y=Y, test_x=x, test_y=Y)
    return load(file, "arrays").test.fields["image"]


FORMS = {
    "grey": (GREY, GREY[:, None]),
    "grey, channel first": (GREY[:, None], GREY[:, None]),
    "grey, channel last": (GREY[..., None], GREY[:, None]),
    "colour, channels first": (COLOUR, COLOUR),
    "colour, channels last": (np.moveaxis(COLOUR, 1, -1), COLOUR),
    "three columns": (GREY[:, :3, :3, None], GREY[:, None, :3, :3]),
    "one pixel": (GREY[:, :1, :1, None], GREY[:, None, :1, :1]),
    "floats": (GREY / 255, GREY[:, None]),
    "small floats": ((GREY / 255).astype(np.float16), GREY[:, None]),
    "rounded floats": ((GREY + 0.8) / 256, np.rint((GREY + 0.8) / 256 * 255).astype(np.uint8)[:, None]),
    "two bytes": (GREY.astype(np.uint16) * 256 + 77, GREY[:, None]),
    "two bytes, large first": (GREY.astype(">u2") * 256 + 77, GREY[:, None]),
}


@pytest.mark.parametrize("case", FORMS)
def test_each_form_gives_bytes(case, tmp_path):
    x, expected = FORMS[case]
    read = images(tmp_path, x)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, expected)


def changed(row, value):
    x = GREY / 255
    x[row, 3, 3] = value
    return x


WRONG = {
    "vectors": (GREY[:, 0], "holds vectors of 6 numbers; use dataset=vectors"),
    "numbers": (GREY[:, 0, 0], "is [40]; images are [N, H, W], [N, C, H, W] or [N, H, W, C]"),
    "films": (COLOUR[None].repeat(40, 0)[:, :3], "is [40, 3, 3, 6, 6]; images are"),
    "four channels": (np.zeros((40, 6, 6, 4), np.uint8), "is [40, 6, 6, 4], and images have 1 channel or 3; leave"),
    "not square": (GREY[:, :, :4], "holds images of 6x4 pixels, but only square ones can be used; crop or pad them"),
    "not square, last": (
        np.zeros((40, 6, 4, 3), np.uint8),
        "holds images of 6x4 pixels, but only square ones can be used",
    ),
    "no pixels": (GREY[:, :0, :0], "holds images of 0x0 pixels"),
    "either way": (np.zeros((40, 3, 3, 3), np.uint8), "is [40, 3, 3, 3], whose channels may be first or last; crop"),
    "up to 255": (
        GREY.astype(np.float32),
        "holds numbers from 0 to 255; write bytes, 0 to 255, or real numbers from 0",
    ),
    "from -1": (GREY / 127.5 - 1, "holds numbers from -1 to 1; write bytes"),
    "whole numbers": (GREY.astype(np.int64), "holds int64; write bytes, 0 to 255, or real numbers from 0 to 1"),
    "bytes as two": (GREY.astype(np.uint16), "holds uint16 up to 255, which would all be black; write uint8"),
    "texts": (GREY.astype(str), "holds <U3; write bytes"),
    "complex": (GREY * 1j, "holds complex128; write bytes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_are_no_images_is_named(case, tmp_path):
    x, message = WRONG[case]
    with pytest.raises(InputError) as error:
        images(tmp_path, x)
    assert str(error.value).startswith(f"{tmp_path / 'a.npz'}, train_x: {message}")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_first_image_that_is_not_finite_is_named(value, tmp_path, monkeypatch):
    monkeypatch.setattr("sdrun.tasks.images.pixels.BATCH", 7)
    x = changed(30, value)
    x[35, 0, 0] = value
    with pytest.raises(InputError, match=r"train_x\[30\]: is not finite; remove such images"):
        images(tmp_path, x)


def test_mean_and_spread_are_measured_where_they_are_not_given(tmp_path):
    file = npz(tmp_path / "a.npz", x=COLOUR, y=Y)
    published = load(file, "arrays")
    pixels = published.train.fields["image"] / 255
    np.testing.assert_allclose(published.measured["mean"], pixels.mean(axis=(0, 2, 3)), atol=1e-4)
    np.testing.assert_allclose(published.measured["std"], pixels.std(axis=(0, 2, 3)), atol=1e-4)
    even = npz(tmp_path / "b.npz", x=np.full((40, 6, 6), 51, np.uint8), y=Y)
    assert load(even, "arrays").measured == {"mean": [0.2], "std": [1.0]}


def test_a_run_keeps_what_was_measured_and_is_evaluated_elsewhere(tmp_path, called):
    import yaml

    file = npz(tmp_path / "a.npz", x=GREY, y=Y)
    more = ("dataset=arrays", f"dataset.root={file}", "model.widths=[4]", "optim.batch_size=16", "optim.max_steps=2")
    path = start(tmp_path / "run", *more, "method=supervised", base=QUICK)
    kept = yaml.safe_load((path / "config.yaml").read_text())["dataset"]
    assert kept["val_size"] == 3
    assert 0.4 < kept["mean"][0] < 0.6
    other = npz(tmp_path / "b.npz", x=GREY[:7], y=Y[:7])
    code, text = called("evaluate", str(path), "--root", str(other))
    assert code == 0, text
    (again,) = (path / "evaluations").iterdir()
    assert summary(again)["metrics"].keys() >= {"test/accuracy"}
    with np.load(again / "predictions/supervised.npz") as predictions:
        assert predictions["test_labels"].tolist() == Y[:7].tolist()
