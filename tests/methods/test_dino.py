"""DINO: its targets, its schedules, its controls, and that a collapse is seen."""

import json
import math

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch.nn import functional as F

from helpers import (
    SMALL,
    differences,
    images,
    interrupted,
    points,
    settings,
    start,
    summary,
    weights,
)
from sdrun import models, run
from sdrun.errors import InputError, RunError
from sdrun.methods.dino.head import PrototypeHead
from sdrun.methods.dino.objective import DINO
from sdrun.models.backbone import Network
from sdrun.randomness import Draws
from sdrun.storage import checkpoints
from sdrun.streams.batch import Batch

SMALL_DINO = ("method=dino", "method.hidden_dim=16", "method.bottleneck_dim=8", "method.out_dim=32")


def objective(*overrides, num_steps=10, num_frozen=0):
    s = settings(*SMALL_DINO, "model.widths=[8,8]", *overrides)
    method, sizes = s.method, s.method.sizes(1000)
    torch.manual_seed(0)
    backbone = models.build(s.model, images(1, 8))
    head = PrototypeHead(backbone.num_features, method.hidden_dim, method.bottleneck_dim, sizes.out_dim)
    return DINO(Network(backbone, head), method, sizes, num_steps, num_frozen, lambda x: x)


def batch(step=0, num=6, num_local=3):
    generator = torch.Generator().manual_seed(step)
    views = {
        role: [torch.randn(num, 1, size, size, generator=generator) for _ in range(count)]
        for role, count, size in (("global", 2, 8), ("local", num_local, 4))
    }
    return Batch(step, torch.arange(num), views, {}, Draws((0,), slice(0, num), num))


def test_one_step_equals_the_papers_pseudocode():
    o = objective("method.teacher_temperature=0.05", "method.teacher_temperature_rise=0").eval()
    b = batch()
    crops = b.views["global"] + b.views["local"]
    student = [o.student(x) for x in crops]
    teacher = [o.teacher.network(x) for x in b.views["global"]]
    loss, pairs = 0.0, 0
    for i, t in enumerate(teacher):
        for v, s in enumerate(student):
            if i != v:
                loss -= (((t - o.centre) / 0.05).softmax(1) * (s / 0.1).log_softmax(1)).sum(1).mean()
                pairs += 1
    torch.testing.assert_close(o(b).loss, loss / pairs)
    o.after_step(1)
    torch.testing.assert_close(o.centre, 0.1 * torch.cat(teacher).mean(dim=0))


def test_no_gradient_reaches_the_teacher_and_every_parameter_of_the_student_has_one():
    o = objective("method.koleo=0.1").train()
    o(batch()).loss.backward()
    assert all(p.grad is None for p in o.teacher.parameters())
    assert all(p.grad is not None for p in o.student.parameters())


def test_the_head_gives_cosines_with_prototypes_of_length_one():
    head = PrototypeHead(8, 16, 4, 10)
    x = torch.randn(5, 8)
    assert head(x).abs().max() <= 1 + 1e-6
    before = head(x)
    with torch.no_grad():
        head.prototypes.weight.mul_(7)
    torch.testing.assert_close(head(x), before)


def test_prototypes_wait_for_their_first_epoch():
    o = objective(num_frozen=2)
    for step, waits in ((1, True), (2, True), (3, False)):
        o(batch(step)).loss.backward()
        o.before_step(step)
        assert (o.student.head.prototypes.weight.grad is None) == waits
        assert o.student.head.mlp[0].weight.grad is not None


def test_the_teacher_temperature_rises():
    o = objective("method.teacher_temperature_rise=0.5", num_steps=20)
    assert (o.sizes.teacher_temperature_start, o.sizes.teacher_temperature) == (0.02, 0.04)
    entropies = [float(o._entropies(o._assigned(torch.eye(32), step))["teacher_entropy"]) for step in (0, 5, 10, 15)]
    assert entropies[0] < entropies[1] < entropies[2] == entropies[3]


@pytest.mark.parametrize(
    ("num_images", "out_dim", "temperature", "momentum"),
    [(1257, 256, 0.04, 0.99), (20_000, 1024, 0.04, 0.99), (55_000, 4096, 0.04, 0.99), (1_300_000, 65536, 0.07, 0.996)],
)
def test_auto_follows_the_size_of_the_data(num_images, out_dim, temperature, momentum):
    sizes = settings("method=dino").method.resolved(num_images)
    assert (sizes["out_dim"], sizes["teacher_temperature"], sizes["momentum"]) == (out_dim, temperature, momentum)
    assert settings("method=dino", "method.out_dim=77").method.resolved(num_images) == {**sizes, "out_dim": 77}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return start(tmp_path_factory.mktemp("dino") / "run", "method=dino", "optim.epochs=2")


def test_what_auto_became_stands_in_the_config(path):
    method = OmegaConf.load(path / "config.yaml").method
    assert (method.out_dim, method.teacher_temperature, method.momentum) == (256, 0.04, 0.99)
    assert weights(path)["dino/last/student.head.prototypes.weight"].shape[0] == 256


def test_it_is_judged_beside_raw_pixels_and_the_untrained_network(path):
    stages = {stage["name"]: stage["metrics"] for stage in summary(path)["stages"]}
    assert list(stages) == ["raw_pixels", "untrained", "dino"]
    for metrics in stages.values():
        assert {"test/knn_accuracy", "test/knn_10_accuracy", "test/knn_100_accuracy", "test/knn_200_accuracy"} <= set(
            metrics
        )
        assert {"test/accuracy", "test/rankme", "val/knn_accuracy"} <= set(metrics)
    assert "test/student/knn_accuracy" in stages["dino"]
    assert stages["untrained"]["test/knn_accuracy"] != stages["dino"]["test/knn_accuracy"]
    logged = {(stage, name) for stage, _, _, name, _ in points(path)}
    assert {
        ("dino", "val/knn_accuracy"),
        ("dino", "train/teacher_entropy"),
        ("raw_pixels", "test/knn_accuracy"),
    } <= logged


def test_no_label_is_seen_in_training(tmp_path, monkeypatch):
    from sdrun.methods.dino import objective as room

    fields = []
    forward = room.DINO.forward
    monkeypatch.setattr(room.DINO, "forward", lambda self, b: fields.append(b.known) or forward(self, b))
    start(tmp_path / "run", *SMALL_DINO, "optim.epochs=1", "dataset.num_labels=30")
    assert fields
    assert not any(fields)


def test_references_of_neighbours_and_probe_are_the_labelled_images(path, tmp_path):
    few = start(tmp_path / "run", "method=dino", "optim.epochs=2", "dataset.num_labels=20")
    one, other = (weights(run)["dino/last/student.head.mlp.0.weight"] for run in (path, few))
    assert torch.equal(one, other)  # training does not depend on how many labels there are
    accuracies = [summary(run)["metrics"]["test/knn_accuracy"] for run in (path, few)]
    assert accuracies[1] < accuracies[0]


def test_a_vit_draws_its_attention(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    vit = ("model=vit_tiny", "model.width=24", "model.depth=2")
    plain = [o for o in SMALL_DINO if "widths" not in o]
    overrides = [*(o for o in SMALL if "widths" not in o), *plain, *vit, "optim.epochs=1", "pictures=true"]
    run.start(settings(*overrides), tmp_path / "run", overrides)
    events = EventAccumulator(str(tmp_path / "run/tensorboard/dino"))
    events.Reload()
    images = set(events.Tags()["images"])
    assert {"test/features", "test/neighbours", "test/attention", "views/global", "views/local"} <= images


def test_a_collapse_is_told_with_its_remedy_after_it_lasted(caplog):
    o = objective()
    healthy = {"train/loss": 2.0, "train/teacher_entropy": 1.0}
    stuck = {"train/loss": math.log(32), "train/teacher_entropy": math.log(32)}
    for values in (stuck, stuck, healthy, stuck, stuck):
        o.watch(1, values)
    assert not caplog.records
    o.watch(6, stuck)
    text = caplog.text
    assert "collapse at step 6: the loss sits at ln K (ln K = 3.4657); lower method.teacher_temperature" in text
    assert "the teacher's entropy is ln K" in text
    o.watch(7, stuck)
    assert caplog.text == text  # once


@pytest.mark.parametrize(
    ("values", "sign"),
    [
        ({"train/loss": math.log(32), "train/teacher_entropy": 1.0}, "the loss sits at ln K"),
        ({"train/loss": 2.0, "train/teacher_entropy": 0.0}, "the teacher's entropy is 0"),
        ({"train/loss": 2.0, "train/teacher_entropy": math.log(32)}, "the teacher's entropy is ln K"),
        ({"val/knn_accuracy": 0.1, "val/rankme": 1.01}, "the rank of the features is 1"),
    ],
)
def test_every_sign_of_collapse_stops_the_run_that_asks_for_it(values, sign):
    o = objective("on_collapse=stop")
    patience = 1 if "rank" in sign else 3
    for step in range(1, patience):
        o.watch(step, values)
    with pytest.raises(RunError, match=sign):
        o.watch(patience, values)


def test_a_run_that_collapses_fails_and_keeps_what_it_wrote(tmp_path):
    collapse = ("method.teacher_temperature=1000", "method.teacher_temperature_start=1000", "log_every=1")
    with pytest.raises(RunError, match="collapse at step 3: the teacher's entropy is ln K"):
        start(tmp_path / "run", *SMALL_DINO, *collapse, "on_collapse=stop")
    found = summary(tmp_path / "run")
    assert found["status"] == "failed"
    assert "collapse" in found["error"]
    assert len([point for point in points(tmp_path / "run") if point[3] == "train/loss"]) == 3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("method.out_dim=many", "method.out_dim: is 'many', but needs a number or auto"),
        ("method.out_dim=1", "method.out_dim: must be at least 2"),
        ("method.momentum=1.5", "method.momentum: must be between 0 and 1"),
        ("method.student_temperature=0", "method.student_temperature: must be above 0"),
        ("on_collapse=explode", "on_collapse: "),
        ("method.on_collapse=stop", "method.on_collapse: unknown key; did you mean on_collapse?"),
    ],
)
def test_bad_settings_are_named(override, message):
    with pytest.raises(InputError) as error:
        settings("method=dino", override)
    assert str(error.value).startswith(message)


def test_one_crop_alone_is_refused():
    with pytest.raises(InputError, match="leaves one crop alone"):
        settings("method=dino", "method.global_crops=1", "method.local_crops=0")


def test_crops_that_a_model_cannot_take_are_refused():
    with pytest.raises(InputError, match=r"model.patch_size: must divide the image size 14"):
        settings("method=dino", "dataset=fashion_mnist", "model=vit_tiny", "dataset.views.local.size=14").check_data(
            images(1, 28), 60000, 1
        )


def test_accumulated_parts_have_the_centre_of_the_whole_batch():
    whole, parts = objective(), objective()
    b = batch(num=8)
    for o, pieces in ((whole, [b]), (parts, b.split(2))):
        o.eval()
        for piece in pieces:
            o(piece)
        o.after_step(1)
    torch.testing.assert_close(whole.centre, parts.centre)


def test_cosines_are_in_full_precision_under_autocast():
    head = PrototypeHead(8, 16, 4, 10)
    x = torch.randn(5, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert head(x).dtype == torch.float32
        bottleneck = F.normalize(head.mlp(x).float(), dim=1)
        found = head(x)
    torch.testing.assert_close(found, bottleneck @ F.normalize(head.prototypes.weight, dim=1).T)


def test_how_long_a_collapse_has_lasted_survives_a_resume():
    first, second = objective("on_collapse=stop"), objective("on_collapse=stop")
    stuck = {"train/loss": math.log(32), "train/teacher_entropy": 1.0}
    first.watch(1, stuck)
    first.watch(2, stuck)
    second.load_state_dict(first.state_dict())
    with pytest.raises(RunError, match="collapse at step 3"):
        second.watch(3, stuck)


def test_a_handful_of_labels_is_enough_to_be_judged(tmp_path):
    few = start(tmp_path / "run", *SMALL_DINO, "optim.epochs=1", "dataset.num_labels=5")
    assert 0 < summary(few)["metrics"]["test/knn_accuracy"] < 1


def test_the_temperature_never_falls():
    low = settings("method=dino", "method.teacher_temperature=0.01").method
    assert low.resolved(1000)["teacher_temperature_start"] == 0.01
    with pytest.raises(InputError, match="method.teacher_temperature_start: must be at most teacher_temperature=0.03"):
        settings("method=dino", "method.teacher_temperature=0.03", "method.teacher_temperature_start=0.04")


def test_the_control_of_a_run_that_starts_from_another_is_called_initial(path, tmp_path):
    again = start(tmp_path / "run", *SMALL_DINO, "optim.epochs=1", f"init_from={path}")
    stages = {stage["name"]: stage["metrics"]["test/knn_accuracy"] for stage in summary(again)["stages"]}
    assert stages["initial"] == summary(path)["metrics"]["test/knn_accuracy"]


def test_teachers_of_this_stage_have_no_earlier_stage(path):
    assert json.loads((path / "manifest.json").read_text())["teachers"] == {"dino": []}
    with np.load(path / "predictions/dino.npz") as arrays:
        assert arrays["test_logits"].shape == (360, 10)


def drop_centre(state):
    state["centre"].zero_()


def drop_teacher(state):
    for name, value in state.items():
        if name.startswith("teacher.") and "weight" in name:
            value.zero_()


@pytest.mark.parametrize("drop", [drop_centre, drop_teacher])
def test_a_lost_piece_of_state_is_caught(path, tmp_path, monkeypatch, drop):
    overrides = ("method=dino", "optim.epochs=2", "checkpoint_seconds=0")
    broken = interrupted(tmp_path / "run", "dino", 3, monkeypatch, *overrides)
    newest = max((broken / "stages/dino").glob("step_*.pt"))
    saved = torch.load(newest, weights_only=True)
    drop(saved["objective"])
    checkpoints.save(newest, saved)
    run.resume(broken)
    assert differences(path, broken)


def test_without_validation_it_is_judged_at_the_end_alone(tmp_path):
    few = start(tmp_path / "run", *SMALL_DINO, "optim.epochs=1", "dataset.val_size=0")
    metrics = summary(few)["metrics"]
    assert {"test/knn_accuracy", "test/accuracy"} <= metrics.keys()
    assert not [name for name in metrics if name.startswith("val")]


def test_it_asks_for_adamw_unless_another_optimiser_is_chosen():
    assert settings("method=dino").optim.name == "adamw"
    assert settings("method=dino", "optim=sgd").optim.name == "sgd"
    assert settings("method=dino", "optim.lr=0.5").optim.lr == 0.5


def test_the_best_weights_are_those_of_the_best_neighbours(path):
    curve = {step: v for stage, step, _, name, v in points(path) if (stage, name) == ("dino", "val/knn_accuracy")}
    assert summary(path)["stages"][-1]["best_step"] == max(curve, key=lambda step: (curve[step], -step))


def test_the_loop_calls_the_objective_around_each_step(tmp_path, monkeypatch):
    calls = []
    before, after = DINO.before_step, DINO.after_step

    def watch_before(self, step):
        calls.append(("before", step, self.student.head.prototypes.weight.grad is not None))
        before(self, step)

    def watch_after(self, step):
        calls.append(("after", step, self.student.head.prototypes.weight.grad is not None))
        after(self, step)

    monkeypatch.setattr(DINO, "before_step", watch_before)
    monkeypatch.setattr(DINO, "after_step", watch_after)
    start(tmp_path / "run", *SMALL_DINO, "optim.max_steps=2")
    assert calls == [("before", 1, True), ("after", 1, False), ("before", 2, True), ("after", 2, False)]
