"""What every method that needs no images keeps on texts, with both models, without a line of its own for them."""

from functools import cache

import pytest

from further import method
from helpers import SMALL_TEXTS, SMALL_TRANSFORMER, differences, in_pieces, start, summary
from sdrun import methods

METHODS = [name for name in methods.names() if methods.settings_class(name).takes is None]
MODELS = {"bag": ("model=bag",), "transformer": SMALL_TRANSFORMER}
KINDS = {"bag": "texts", "transformer": "texts in pieces"}
FEW = ("dataset.num_labels=60",)
FURTHER = {
    "born_again": ("generations=2",),
    "compress": ("method.alone=false", "optim.epochs=2"),
    "consistency": FEW,
    "mean_teacher": FEW,
    "quantise": ("method.by_labels=false", "optim.epochs=2"),
}


def asked(name, model):
    return (*MODELS[model], *method(name, KINDS[model]), *FURTHER.get(name, ()))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run of a method and a model that nothing stopped, made when it is asked for."""

    @cache
    def run(name, model):
        return start(tmp_path_factory.mktemp("runs") / "run", *asked(name, model), base=SMALL_TEXTS)

    return run


def test_dino_says_that_it_needs_images(called):
    code, text = called("dataset=sentences", "method=dino")
    assert (code, text) == (2, "sdrun: method: dino needs images, and dataset=sentences has texts\n")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", METHODS)
def test_it_resumes_bitwise(name, model, whole, tmp_path, monkeypatch):
    in_pieces(tmp_path / "run", monkeypatch, *SMALL_TEXTS, *asked(name, model))
    assert differences(whole(name, model), tmp_path / "run") == []


@pytest.mark.parametrize("model", MODELS)
def test_its_metrics_and_files_are_those_of_any_classifier(model, whole):
    path = whole("supervised", model)
    metrics = summary(path)["metrics"]
    assert metrics.keys() >= {"test/accuracy", "test/nll", "test/ece", "test/nll_calibrated", "val/temperature"}
    assert (path / "tokenizer.json").exists() == (model == "transformer")


def test_a_tokenizer_goes_with_the_run_and_is_made_again_where_it_is_lost(whole, tmp_path, monkeypatch, called):
    path = start(tmp_path / "run", *asked("supervised", "transformer"), "optim.epochs=1", base=SMALL_TEXTS)
    kept = (path / "tokenizer.json").read_bytes()
    code, text = called("doctor", str(path))
    assert code == 0, text
    for damage in (lambda file: file.unlink(), lambda file: file.write_text("{}")):
        damage(path / "tokenizer.json")
        assert called("doctor", str(path))[0] == 1
        code, text = called("resume", str(path), "--repair")
        assert code == 0, text
        assert (path / "tokenizer.json").read_bytes() == kept
    (path / "tokenizer.json").unlink()
    monkeypatch.setattr("sdrun.tasks.text.pieces.learned", lambda *_: kept + b" ")
    code, text = called("resume", str(path), "--repair")
    assert code == 1
    assert "tokenizer.json is gone or damaged, and comes out as another now; restore it from a copy" in text


def test_another_run_starts_with_its_weights_and_its_tokenizer(whole, tmp_path):
    first = whole("supervised", "transformer")
    more = (*asked("supervised", "transformer"), f"init_from={first}", "dataset.train_size=60", "optim.epochs=2")
    second = start(tmp_path / "run", *more, base=SMALL_TEXTS)
    assert (second / "tokenizer.json").read_bytes() == (first / "tokenizer.json").read_bytes()
    alone = start(tmp_path / "alone", *(word for word in more if "init_from" not in word), base=SMALL_TEXTS)
    assert (alone / "tokenizer.json").read_bytes() != (first / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("model", MODELS)
def test_it_is_evaluated_again(model, whole, called):
    path = whole("born_again", model)
    code, text = called("evaluate", str(path))
    assert code == 0, text
    (again,) = (path / "evaluations").iterdir()
    assert summary(again)["metrics"].items() <= summary(path)["metrics"].items()
    assert (again / "tokenizer.json").exists() == (model == "transformer")


def test_it_is_shown_and_compared(whole, called):
    paths = [str(whole(name, "bag")) for name in ("supervised", "born_again")]
    code, text = called("show", paths[0])
    assert code == 0, text
    assert "items" in text
    code, text = called("compare", *paths, "--format", "md")
    assert code == 0, text
    assert "test items" in text


def test_texts_are_shown_as_such(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path = start(tmp_path / "run", *asked("mean_teacher", "bag"), "optim.epochs=1", "pictures=true", base=SMALL_TEXTS)
    events = EventAccumulator(str(path / "tensorboard/mean_teacher")).Reload()
    assert {"views/weak", "test/mistakes", "test/confusion", "test/reliability"} <= set(events.Tags()["images"])
    assert "left out" not in (path / "run.log").read_text()


def test_texts_that_are_cut_are_told_of(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1", "model.length=6", base=SMALL_TEXTS)
    assert "of 280 texts are longer than 6 words, and are cut; raise model.length" in (path / "run.log").read_text()
