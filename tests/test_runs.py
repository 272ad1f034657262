"""What settings do to a run, on small ones inside the test process."""

import json

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from helpers import SMALL, points, predictions, settings, start, summary, weights
from sdrun import run

VIT = [o for o in SMALL if not o.startswith("model")] + ["model=vit_tiny", "model.width=24", "model.depth=2"]


def losses(path):
    return [value for _, _, _, name, value in points(path) if name == "train/loss"]


@pytest.fixture(scope="module")
def born_again(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "run", "method=born_again", "log_every=1", "pictures=true")


def test_the_line_of_generations(born_again):
    found = summary(born_again)
    assert [stage["name"] for stage in found["stages"]] == ["generation_0", "generation_1", "generation_2", "ensemble"]
    assert found["metrics"] == found["stages"][2]["metrics"]
    teachers = json.loads((born_again / "manifest.json").read_text())["teachers"]
    assert [[t["stage"] for t in entries] for entries in teachers.values()] == [[], ["generation_0"], ["generation_1"]]
    first, second = (torch.load(born_again / f"stages/generation_{g}/last.pt", weights_only=True) for g in (0, 1))
    assert not torch.equal(first["student.head.weight"], second["student.head.weight"])


def test_the_ensemble_is_the_mean_of_probabilities(born_again):
    found = predictions(born_again)
    each = [torch.tensor(found[f"generation_{g}/test_logits"]).softmax(1) for g in range(3)]
    ensemble = torch.tensor(found["ensemble/test_logits"]).softmax(1)
    torch.testing.assert_close(ensemble, torch.stack(each).mean(0), rtol=1e-4, atol=1e-5)


def test_summary_agrees_with_the_saved_predictions(born_again):
    found = predictions(born_again)
    accuracy = (found["generation_2/test_logits"].argmax(1) == found["generation_2/test_labels"]).mean()
    assert summary(born_again)["metrics"]["test/accuracy"] == pytest.approx(float(accuracy))


def test_shares_of_the_gradient_are_logged_and_add_up(born_again):
    found = {(stage, step, name): value for stage, step, _, name, value in points(born_again)}
    shares = [found["generation_1", 3, f"train/gradient_share_{term}"] for term in ("ce", "distillation")]
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0.05
    parts = [found["generation_1", 3, f"train/loss_{term}"] for term in ("ce", "distillation")]
    assert sum(parts) == pytest.approx(found["generation_1", 3, "train/loss"], rel=1e-5)


def test_a_dead_teacher_shows_as_a_share_of_nothing(tmp_path):
    path = start(tmp_path / "run", "method=born_again", "generations=2", "method.alpha=0", "optim.epochs=1")
    dead = [v for stage, _, _, name, v in points(path) if name == "train/gradient_share_distillation"]
    assert dead == [0.0] * len(dead)
    assert dead


def test_teacher_of_all_earlier_generations(tmp_path):
    path = start(tmp_path / "run", "method=born_again", "method.teacher=ensemble", "optim.epochs=1")
    teachers = json.loads((path / "manifest.json").read_text())["teachers"]
    assert [t["stage"] for t in teachers["generation_2"]] == ["generation_0", "generation_1"]


def test_the_three_objectives_differ(tmp_path):
    seen = {}
    for objective in ("kd", "cwtm", "dkpp"):
        overrides = ["method=born_again", "generations=2", f"method.objective={objective}", "optim.epochs=1"]
        seen[objective] = losses(start(tmp_path / objective, *overrides))
    first = len(seen["kd"]) // 2
    assert seen["kd"][:first] == seen["cwtm"][:first] == seen["dkpp"][:first]
    assert len({tuple(values[first:]) for values in seen.values()}) == 3


def test_tensorboard_holds_scalars_pictures_and_one_session_of_hparams(born_again):
    def events(stage):
        found = EventAccumulator(str(born_again / "tensorboard" / stage))
        found.Reload()
        return found

    stage = events("generation_1")
    assert set(stage.Tags()["images"]) == {
        "views/weak",
        "test/reliability",
        "test/confusion",
        "test/classes",
        "test/mistakes",
    }
    assert [event.step for event in stage.Scalars("train/loss")] == list(range(1, 13))
    top = events("")
    assert top.Tags()["images"] == ["test/over_stages"]
    assert top.PluginTagToContent("hparams").keys() == {
        "_hparams_/session_start_info",
        "_hparams_/session_end_info",
    }
    with pytest.raises(KeyError):
        stage.PluginTagToContent("hparams")
    assert top.Scalars("test/accuracy")[0].value == pytest.approx(summary(born_again)["metrics"]["test/accuracy"])


def test_the_views_in_tensorboard_are_not_blank(born_again, tmp_path):
    from matplotlib import image

    events = EventAccumulator(str(born_again / "tensorboard/generation_1"))
    events.Reload()
    (tmp_path / "views.png").write_bytes(events.Images("views/weak")[0].encoded_image_string)
    assert image.imread(tmp_path / "views.png")[..., :3].std() > 0.1


def test_accumulated_parts_are_one_batch(tmp_path):
    overrides = ["method=born_again", "generations=2", "optim.epochs=2", "optim.lr=0.02", "method.objective=dkpp"]
    for parts in (1, 4):
        mine = [*VIT, *overrides, f"optim.accumulate={parts}"]
        run.start(settings(*mine), tmp_path / str(parts), mine)
    assert losses(tmp_path / "4") == pytest.approx(losses(tmp_path / "1"), rel=1e-4)


def test_select_best_counts_and_teaches(tmp_path):
    # A learning rate that breaks the network late makes the last weights worse than the best.
    overrides = ["method=born_again", "generations=2", "optim.select=best", "optim.schedule=constant", "optim.lr=0.3"]
    path = start(tmp_path / "run", *overrides, "optim.epochs=8")
    zero = summary(path)["stages"][0]
    curve = {
        step: value for stage, step, _, name, value in points(path) if (stage, name) == ("generation_0", "val/accuracy")
    }
    assert zero["metrics"]["val/accuracy"] == max(curve.values()) == curve[zero["best_step"]]
    assert zero["metrics"]["val/last/accuracy"] == curve[max(curve)]
    teachers = json.loads((path / "manifest.json").read_text())["teachers"]
    assert teachers["generation_1"][0]["sha256"] == zero["sha256"]["best"]


def test_early_stopping_stops(tmp_path):
    overrides = ["method=supervised", "optim.early_stop=2", "optim.lr=1e-9", "optim.epochs=50"]
    path = start(tmp_path / "run", *overrides)
    (stage,) = summary(path)["stages"]
    assert stage["steps"] < 50 * 3
    assert {"test/accuracy", "test/best/accuracy"} <= stage["metrics"].keys()


def test_without_validation_nothing_is_fitted_or_chosen(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "dataset.val_size=0", "optim.epochs=1")
    metrics = summary(path)["metrics"]
    assert not [name for name in metrics if "calibrated" in name or name.startswith("val") or "best" in name]
    assert not (path / "stages/supervised/best.pt").exists()


def test_label_noise_reports_what_is_memorised(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "dataset.label_noise=0.4", "dataset.label_noise_kind=pair")
    metrics = summary(path)["metrics"]
    assert metrics["train/given_label_accuracy"] != metrics["train/true_label_accuracy"]


def test_label_smoothing_and_clipping_have_an_effect(tmp_path):
    plain = weights(start(tmp_path / "plain", "method=supervised", "optim.epochs=1"))
    for override in ("method.label_smoothing=0.2", "optim.clip_norm=0.01", "optim=adamw"):
        other = weights(start(tmp_path / override, "method=supervised", "optim.epochs=1", override))
        assert not torch.equal(
            plain["supervised/last/student.head.weight"], other["supervised/last/student.head.weight"]
        )


def test_fewer_images_than_a_batch_are_one_batch(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "dataset.train_size=15", "optim.batch_size=64")
    assert summary(path)["stages"][0]["steps"] == 4


def test_config_yaml_has_no_auto_left(born_again):
    text = (born_again / "config.yaml").read_text()
    assert "auto" not in text.replace("name: auto", "")
    assert "channels_last: false" in text
    assert "${" not in text


def test_a_stage_is_seen_by_its_speed_alone(born_again):
    (first, *_) = summary(born_again)["stages"]
    expected = first["steps"] * 40 / first["seconds"]
    assert first["samples_per_second"] == pytest.approx(expected, rel=0.05)
    assert np.isfinite(summary(born_again)["process_peak_memory_bytes"])


def test_every_generation_starts_afresh_and_seeded(tmp_path, monkeypatch):
    from sdrun.experiment import Experiment

    fresh, student = [], Experiment.student

    def remember(self, *arguments):
        made = student(self, *arguments)
        fresh.append({name: value.clone() for name, value in made.state_dict().items()})
        return made

    monkeypatch.setattr(Experiment, "student", remember)
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        start(tmp_path / folder, "method=born_again", "generations=2", "optim.epochs=1", f"seed={seed}")
    first, second, again, _, other, _ = (state["head.weight"] for state in fresh)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)
