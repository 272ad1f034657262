"""A picture that fails is a warning, and the run completes with all others; a full disk still ends it."""

import errno
import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from helpers import QUICK, idx, settings, start, summary
from sdrun import reevaluation, run
from sdrun.judges import maps, pictures
from sdrun.judges.drawing import show
from sdrun.streams.shuffled import Shuffled
from sdrun.tasks.images.idx import IDX_FILES

DINO = ("method=dino", "method.hidden_dim=16", "method.bottleneck_dim=8", "method.out_dim=32", "optim.epochs=1")


def images(path, stage):
    events = EventAccumulator(str(path / "tensorboard" / stage))
    events.Reload()
    return set(events.Tags()["images"])


def fail(*arguments, **options):
    raise OSError("no such font\nin this place")


def with_unreadable_title(*arguments):
    figure = pictures.Figure()
    figure.suptitle(r"$\nonsense{$")
    return figure


def test_pictures_that_cannot_be_drawn_are_left_out_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "reliability_diagram", fail)
    monkeypatch.setattr(pictures, "over_stages", fail)
    monkeypatch.setattr(Shuffled, "examples", fail)
    path = start(tmp_path / "run", "method=born_again", "generations=2", "optim.epochs=1", "pictures=true")
    assert summary(path)["status"] == "completed"
    assert images(path, "generation_1") == {"test/confusion", "test/classes", "test/mistakes"}
    log = (path / "run.log").read_text()
    for title in ("test/reliability", "views", "test/over_stages"):
        assert f"WARNING the picture {title} is left out (OSError: no such font in this place)" in log


def test_a_run_that_wants_no_pictures_draws_none_and_its_evaluation_may(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        for name in ("reliability_diagram", "confusion_matrix", "over_stages", "view_grid"):
            patch.setattr(pictures, name, fail)
        path = start(tmp_path / "run", "method=born_again", "generations=2", "optim.max_steps=2")
    assert "is left out" not in (path / "run.log").read_text()
    assert images(path, "generation_1") == images(path, "ensemble") == images(path, "") == set()
    reevaluation.evaluate(path, None, None, ["pictures=true"])
    (evaluation,) = (path / "evaluations").iterdir()
    assert "test/confusion" in images(evaluation, "generation_1")


def test_a_picture_whose_text_cannot_be_set_is_left_out_as_it_is_written(caplog):
    def unreadable():
        figure = Figure()
        figure.suptitle(r"$\nonsense{$")
        return figure

    show("test/text", unreadable, lambda title, figure: figure.savefig(io.BytesIO()))
    assert "the picture test/text is left out (ValueError" in caplog.text


def test_a_picture_that_cannot_be_written_is_an_error(caplog):
    def full(title, figure):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        show("test/any", Figure, full)
    assert caplog.text == ""


def write_few(folder, num_train: int, num_test: int):
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, num in zip(IDX_FILES, (num_train, num_train, num_test, num_test), strict=True):
        array = random.integers(0, 256, (num, 8, 8)) if "idx3" in name else np.arange(num) % 10
        (folder / name).write_bytes(idx(array.astype(np.uint8)))
    return folder


@pytest.mark.parametrize("num_test", [1, 4])
def test_dino_on_a_few_test_images_draws_what_it_can(tmp_path, num_test):
    root = write_few(tmp_path / "data", 30, num_test)
    asked = [*DINO, "dataset=mnist", f"dataset.root={root}", "dataset.val_size=1", "optim.batch_size=8"]
    asked += ["model.widths=[4]", *QUICK, "pictures=true"]
    run.start(settings(*asked), tmp_path / "run", asked)
    assert "left out" not in (tmp_path / "run/run.log").read_text()
    assert {"test/neighbours", "test/reliability", "test/confusion"} <= images(tmp_path / "run", "dino")
    assert ("test/features" in images(tmp_path / "run", "dino")) == (num_test == 4)


def test_a_map_of_the_fewest_images_has_one_place_for_each():
    features = np.random.default_rng(0).normal(size=(4, 3))
    figure = maps.feature_map(features, np.arange(4), list("abcd"), torch.get_num_threads())
    assert [len(points.get_offsets()) for points in figure.axes[0].collections] == [1, 1, 1, 1]


def lines(figure):
    return [text.get_text() for text in figure.texts]


def test_texts_stand_in_lines_whatever_they_hold():
    shown = ["it costs $5, or $6", "a" * 300, "\u4eca\u65e5\x1b[2J\n\n  wet"]
    figure = pictures.mistakes(
        shown, [("comp.sys.ibm.pc.hardware", "n/a"), ("", "_b"), ("$x$", "b")], [0.974, 0.9, 0.5]
    )
    assert lines(figure) == [
        "comp.sys.ibm...., not n/a (97%)",
        r"it costs \$5, or \$6",
        ", not _b (90%)",
        f"{'a' * 107}...",
        r"\$x\$, not b (50%)",
        "\u4eca\u65e5\\x1b[2J wet",
    ]
    titles, texts = figure.texts[::2], figure.texts[1::2]
    figure.draw_without_rendering()
    ends = [title.get_window_extent().x1 for title in titles]
    assert max(ends) < min(text.get_window_extent().x0 for text in texts)


def test_views_of_texts_stand_below_each_other_by_item():
    figure = pictures.view_grid({"clean": ["one two", "three"], "weak 1": ["two", "three"]})
    assert lines(figure) == ["clean", "one two", "weak 1", "two", "clean", "three", "weak 1", "three"]
    assert [text.get_fontweight() for text in figure.texts[1::2]] == ["bold", "normal"] * 2


@pytest.mark.parametrize("channels", [1, 3])
def test_mistakes_on_images_are_pictures_with_captions(channels):
    shown = [np.full((channels, 4, 4), number, dtype=np.uint8) for number in range(5)]
    figure = pictures.mistakes(shown, [("cat", "dog")] * 5, [0.5] * 5)
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["cat, not dog (50%)"] * 5
    assert len(axis.images) == 5


def test_letters_that_no_font_has_are_boxes_and_no_warnings(caplog, recwarn):
    figure = pictures.view_grid({"clean": ["\u4eca\u65e5"]})
    show("views/weak", lambda: figure, lambda title, figure: figure.savefig(io.BytesIO()))
    assert not caplog.text
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
