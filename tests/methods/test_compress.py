"""Compression: who teaches, what of it is learned, and what is said of it."""

import shutil

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import sdrun
from helpers import SMALL as SMALL_RUN
from helpers import (
    check,
    differences,
    in_pieces,
    manifest,
    predictions,
    rewrite_manifest,
    settings,
    start,
    summary,
    weights,
)
from sdrun import models, run
from sdrun.answers.categorical import Categorical
from sdrun.comparison.runs import read
from sdrun.comparison.stages import at, baselines
from sdrun.errors import InputError, RunError
from sdrun.losses.distillation import dkd_each, kd_each
from sdrun.methods.compress.hints import hinted, tapped
from sdrun.methods.compress.objective import Compress
from sdrun.models.backbone import Network
from sdrun.randomness import Draws
from sdrun.settings import Item, Shape
from sdrun.streams.batch import Batch
from sdrun.teachers.frozen import Frozen
from sdrun.teachers.guest import Translated

CLASSES, SIZE = 4, 8
SMALL = ("method=compress", "model.widths=[4,4]")
BIG = ("teacher_model=cnn", "teacher_model.widths=[8,8]")


def network(widths, seed=0):
    torch.manual_seed(seed)
    chosen = models.chosen("cnn", "model")
    chosen.widths = widths
    backbone = models.build(chosen, Item("images", (1, SIZE, SIZE)))
    return Network(backbone, Categorical(CLASSES).head(backbone.num_features))


def batch():
    random = torch.Generator().manual_seed(1)

    def of(num, known):
        views = {"weak": [torch.randn(num, 1, SIZE, SIZE, generator=random)]}
        return Batch(0, torch.arange(num), views, known, Draws((0,), slice(0, num), num))

    other = of(6, {})
    one = of(3, {"label": torch.tensor([0, 2, 3])})
    return Batch(0, one.index, one.views, one.known, one.draws, {"unlabelled": other})


def method(*overrides):
    return settings(*SMALL, *BIG, *overrides).method


def frozen(network):
    return Frozen([network], Categorical(CLASSES), torch.no_grad)


def seen(b):
    return torch.cat([b.views["weak"][0], b.beside["unlabelled"].views["weak"][0]])


@pytest.mark.parametrize("name", ["kd", "dkd"])
def test_labels_teach_where_they_are_and_the_teacher_everywhere(name):
    student, teacher, b = network([4, 4]).eval(), network([8, 8], 1).eval(), batch()
    s = method(f"method.objective={name}", "method.alpha=0.7", "method.temperature=2.0")
    terms = Compress(student, Categorical(CLASSES), frozen(teacher), s)(b).terms
    z, t = student(seen(b)), teacher(seen(b)).detach()
    label = torch.cat([b.known["label"], t[3:].argmax(1)])
    each = kd_each(z, t, 2.0) if name == "kd" else dkd_each(z, t, label, 1.0, 8.0, 2.0)
    torch.testing.assert_close(terms["distillation"], 0.7 * each.mean())
    torch.testing.assert_close(terms["ce"], 0.3 * F.cross_entropy(z[:3], b.known["label"]))
    assert terms.keys() == {"ce", "distillation"}


def test_hints_are_the_mean_squared_difference_of_projected_features():
    s, answers, b = method("method.hints.weight=0.5", "method.hints.student=stage_1"), Categorical(CLASSES), batch()
    teacher = network([8, 8], 1).eval()
    student = hinted(s.hints, answers, teacher, network([4, 4]).backbone).eval()
    objective = Compress(student, answers, frozen(tapped(s.hints, teacher)), s)
    terms = objective(b).terms
    own = student.project(student.network.backbone(seen(b)).taps["stage_1"])
    theirs = teacher.backbone(seen(b)).taps["stage_2"].repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert own.shape == theirs.shape == (9, 8, 4, 4)
    torch.testing.assert_close(terms["hints"], 0.5 * ((own - theirs) ** 2).mean())
    assert objective.networks[""] is student.network


def test_a_translated_teacher_hints_as_well():
    s = method("method.hints.weight=0.5")
    teacher = Translated(network([8, 8], 1).eval(), lambda view: view / 2, lambda view: view + 1)
    told = tapped(s.hints, teacher)(seen(batch()))
    torch.testing.assert_close(told["logits"], teacher.network(seen(batch()) / 2 + 1))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "teacher", "method=supervised", "optim.lr=0.2")


@pytest.fixture(scope="module")
def taught(tmp_path_factory, teacher):
    return start(tmp_path_factory.mktemp("runs") / "taught", *SMALL, f"teacher_from={teacher}", "dataset.num_labels=40")


def test_alone_is_what_supervised_training_of_the_student_is(taught, tmp_path):
    path = start(tmp_path / "run", "method=supervised", "model.widths=[4,4]", "dataset.num_labels=40")
    own, plain = (
        {k.partition(":")[2]: v for k, v in weights(p).items() if w in k}
        for p, w in ((taught, "alone"), (path, "supervised"))
    )
    assert own.keys() == plain.keys()
    assert all(torch.equal(own[key], plain[key]) for key in own)


def test_the_teacher_is_recorded_and_judged_as_its_own_run_did(taught, teacher):
    (told,) = manifest(taught)["teachers"]["taught"]
    stage = summary(teacher)["stages"][0]
    assert told == {"stage": "supervised", "sha256": stage["sha256"]["last"], "run": str(teacher)}
    np.testing.assert_allclose(
        predictions(taught)["teacher/test_logits"], predictions(teacher)["supervised/test_logits"], atol=1e-5
    )


def test_a_student_is_held_against_itself_alone_and_costs_its_own_training(taught):
    found = read(taught)
    assert baselines(found) == ["alone"]
    costs = {place: at(found, place).summary["compute"]["multiply_adds"] for place in ("alone", "taught")}
    assert costs == {name: found.stages[name]["multiply_adds"] for name in costs}
    assert found.stages["teacher"]["other"] == "teacher_from"
    metrics = {name: stage["metrics"] for name, stage in found.stages.items()}
    assert metrics["taught"]["model/parameters"] < metrics["teacher"]["model/parameters"]
    assert 0 < metrics["taught"]["test/teacher_agreement"] <= 1


def test_it_resumes_bitwise_with_a_teacher_of_another_run(taught, teacher, tmp_path, monkeypatch):
    asked = (*SMALL, f"teacher_from={teacher}", "dataset.num_labels=40")
    in_pieces(tmp_path / "run", monkeypatch, *SMALL_RUN, *asked)
    assert differences(taught, tmp_path / "run") == []


def test_it_is_used_where_its_teacher_is_gone(teacher, tmp_path):
    gone = shutil.copytree(teacher, tmp_path / "teacher")
    path = start(tmp_path / "run", *SMALL, f"teacher_from={gone}", "method.hints.weight=0.1", "method.alone=false")
    shutil.rmtree(gone)
    items = np.zeros((2, 1, 8, 8), np.uint8)
    assert sdrun.load(path).predict(items).shape == (2, 10)


def test_several_teachers_are_an_ensemble(teacher, tmp_path):
    other = start(tmp_path / "other", "method=supervised", "seed=1", "optim.epochs=1")
    path = start(tmp_path / "run", *SMALL, f"teacher_from=[{teacher},{other}]", "method.alone=false", "optim.epochs=1")
    assert [told["run"] for told in manifest(path)["teachers"]["taught"]] == [str(teacher), str(other)]
    members = [predictions(p)["supervised/test_logits"] for p in (teacher, other)]
    logs = [torch.tensor(z).log_softmax(1) for z in members]
    mean = (logs[0].exp() + logs[1].exp()) / 2
    found = torch.tensor(predictions(path)["teacher/test_logits"]).softmax(1)
    torch.testing.assert_close(found, mean, atol=1e-5, rtol=1e-4)


def test_a_chain_is_taught_link_by_link(tmp_path):
    path = start(tmp_path / "run", *SMALL, "method.chain=[cnn,cnn]", "optim.epochs=1")
    teachers = manifest(path)["teachers"]
    by_stage = {stage: [told["stage"] for told in of] for stage, of in teachers.items()}
    assert by_stage == {"teacher": [], "assistant_1": ["teacher"], "alone": [], "taught": ["assistant_1"]}
    others = {stage["name"]: stage.get("other") or None for stage in summary(path)["stages"]}
    assert others == {"teacher": "cnn", "assistant_1": "cnn", "alone": None, "taught": None}


def test_a_clean_view_has_the_teacher_asked_once_for_each_item(teacher, tmp_path, monkeypatch):
    asked = []
    answer = Frozen.answer
    monkeypatch.setattr(Frozen, "answer", lambda self, view: (asked.append(len(view)), answer(self, view))[1])
    path = start(tmp_path / "run", *SMALL, f"teacher_from={teacher}", "method.view=clean", "method.alone=false")
    steps = summary(path)["stages"][-1]["steps"]
    assert len(asked) < steps
    (made,) = (stage for stage in summary(path)["stages"] if stage["name"] == "taught_answers")
    assert made["multiply_adds"] == 120 * summary(path)["stages"][0]["metrics"]["model/multiply_adds"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "method: compress has no teacher, and needs one: give teacher_model=NAME"),
        ((*BIG, "teacher_from=a"), "teacher_model: and teacher_from each give a teacher; leave one of them out"),
        (("teacher_model=cnn", "teacher_model.widths=[2]"), "model: has .* parameters, more than teacher_model with"),
        (("method.chain=[resnet8,resnet20]",), r"method.chain\[1\]: has .* more than method.chain\[0\] with"),
        (("method.chain=[resnet9]",), "method.chain: is 'resnet9', but the choices of model are bag, cnn"),
        ((*BIG, "method.unlabelled_ratio=2"), "method.unlabelled_ratio: needs items without labels, and all 1,257"),
        (
            (*BIG, "method.hints.weight=1", "method.hints.student=stage_9"),
            "method.hints.student: is 'stage_9', but the",
        ),
        (
            (*BIG, "method.hints.weight=1", "method.hints.teacher=stage_9"),
            "method.hints.teacher: is 'stage_9', but the",
        ),
        (
            ("teacher_model=vit_tiny", "method.hints.weight=1"),
            "method.hints.weight: the student's taps are maps and the teacher's tokens; leave it out",
        ),
        ((*BIG, "method.hints.teacher=stage_1"), "method.hints.teacher: has no effect with method.hints.weight=0"),
        ((*BIG, "method.dkd.others=4"), "method.dkd.others: has no effect without method.objective=dkd; set that too"),
        (("teacher_from=[a,b]", "method.hints.weight=1"), "method.hints.weight: needs one teacher, for several have"),
        (("teacher_model=mlp",), "teacher_model: mlp takes vectors, and dataset=digits has images"),
        (("teacher_model=cnn", "teacher_model.widths=[]"), "^teacher_model.widths: needs at least one width"),
        (("teacher_model=cnn", "teacher_model.widths=[9,9,9,9,9]"), "^teacher_model.widths: has more stages than 8x8"),
        (("teacher_model=cnn", "teacher_model.depth=x"), "^teacher_model.depth: Value 'x'"),
        ((*BIG, "teacher_model.width=3"), "teacher_model.width: has no effect with a cnn model; it is a setting of"),
        ((*BIG, "teacher_model.widhts=[3]"), "teacher_model.widhts: unknown key; did you mean teacher_model.widths"),
        (("teacher_from=nowhere",), "nowhere holds no run: manifest.json is not there"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_trained(words, message):
    with pytest.raises(InputError, match=message):
        check(*SMALL, *words)


@pytest.mark.parametrize("whose", ["student", "teacher"])
def test_a_tap_that_a_network_lacks_is_refused_before_anything_is_trained(teacher, whose):
    with pytest.raises(InputError, match=f"method.hints.{whose}: is 'stage_9', but the taps are stage_1, stage_2"):
        check(*SMALL, f"teacher_from={teacher}", "method.hints.weight=1", f"method.hints.{whose}=stage_9")


def test_a_network_without_taps_gives_no_hints():
    hints, whole, maps = method("method.hints.weight=1").hints, Shape(9, [], ""), Shape(9, ["stage_1"], "maps")
    with pytest.raises(InputError, match="method.hints.weight: the teacher has no taps, which are parts of a plain"):
        hints.check(whole, maps)


def test_other_methods_take_no_teacher():
    with pytest.raises(InputError, match="teacher_model: has no effect with method=supervised; it is a setting of"):
        settings("method=supervised", "teacher_model=cnn")


def test_a_teacher_that_is_not_finished_or_tells_other_classes_is_refused(teacher, tmp_path):
    copy = shutil.copytree(teacher, tmp_path / "copy")
    rewrite_manifest(copy, status="interrupted")
    with pytest.raises(InputError, match="is interrupted; finish it by: sdrun resume"):
        check(*SMALL, f"teacher_from={copy}")
    rewrite_manifest(copy, status="completed", items={**manifest(copy)["items"], "classes": [*"abcdefghij"]})
    told = "tells 10 classes: a, b, c, ..., and dataset=digits has 10 classes: 0, 1, 2"
    with pytest.raises(InputError, match=told):
        check(*SMALL, f"teacher_from={copy}")


def test_a_run_goes_on_with_no_other_teacher(teacher, tmp_path, monkeypatch):
    copy = shutil.copytree(teacher, tmp_path / "copy")
    path = start(tmp_path / "run", *SMALL, f"teacher_from={copy}", "method.alone=false")
    shutil.rmtree(copy)
    start(copy, "method=supervised", "seed=5")
    with pytest.raises(RunError, match="taught was taught by other weights of supervised than there are now"):
        run.resume(path, repair=True)
