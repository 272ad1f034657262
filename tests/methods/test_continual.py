"""One task after another: what is learned of each, what keeps the earlier ones, and how that is measured."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import sdrun
from helpers import SMALL, check, differences, in_pieces, manifest, settings, start, summary, write_idx
from sdrun.answers.categorical import Categorical
from sdrun.errors import InputError
from sdrun.losses.distillation import NEVER, hard
from sdrun.methods.continual.labels import learned
from sdrun.methods.continual.measures import average, backward, divergence, forgetting, forward
from sdrun.methods.continual.objective import LOGITS, RECALLED, REPLAYED, Continual
from sdrun.methods.continual.settings import Targets
from sdrun.objectives.surrogates import Shuffled
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch

PIXELS = ("model=pixels", "model.width=16", "model.depth=1", "optim.batch_size=20", "optim.epochs=2")
BASE = (*(word for word in SMALL if not word.startswith(("model", "optim"))), *PIXELS)
CLASSES = ("dataset/stream=classes", "dataset.stream.num=3", "method.buffer=25")
RIGHT = torch.tensor([[True, False, True, False], [False, True, False, True], [True, False, True, False]])


def digits(path, choice="continual", *more, store=None):
    return start(path, f"method={choice}", *CLASSES, *more, base=BASE, store=store)


@pytest.fixture(scope="module")
def idx(tmp_path_factory):
    return write_idx(tmp_path_factory.mktemp("idx") / "files", num_train=160)


def parity(idx, choice="continual_own", *more):
    """Overrides of digits whose parity is learned after that of clothes."""
    here = (f"dataset.root={idx}", "dataset/stream=tasks", f"dataset.stream.roots=[{idx}]", "dataset.stream.flag=true")
    alike = "dataset.stream.alike=[[0,2,4,6,8],[1,3,5,7,9]]"
    sizes = ("dataset=fashion_mnist", "dataset.train_size=120", "dataset.val_size=60")
    return (*BASE, *sizes, *here, alike, f"method={choice}", *more)


@pytest.fixture(scope="module")
def derpp(tmp_path_factory):
    return digits(tmp_path_factory.mktemp("runs") / "derpp")


def metrics(path, stage):
    return next(one["metrics"] for one in summary(path)["stages"] if one["name"] == stage)


# Measures ------------------------------------------------------------------------------------------------------------


def test_measures_are_those_of_the_papers():
    """By hand. A library's are no yardstick here: continuum 1.2.7 leaves the task before the last out of each."""
    after = [[0.9, 0.2, 0.1], [0.6, 0.8, 0.3], [0.7, 0.5, 0.9]]
    assert average(after[2]) == pytest.approx(0.7)
    assert forgetting(after) == pytest.approx(((0.9 - 0.7) + (0.8 - 0.5)) / 2)
    assert backward(after) == pytest.approx(((0.7 - 0.9) + (0.5 - 0.8)) / 2)
    assert forward([0.1, 0.1, 0.2], after) == pytest.approx(((0.2 - 0.1) + (0.3 - 0.2)) / 2)
    assert forgetting([[0.5, 0.0], [0.6, 0.4]]) == pytest.approx(-0.1)  # what is learned later may help


def test_the_way_from_the_start_is_torchs_divergence():
    before, now = torch.randn(5, 4), torch.randn(5, 4)
    expected = F.kl_div(now.log_softmax(1), before.log_softmax(1), reduction="batchmean", log_target=True)
    assert divergence(before.numpy(), now.numpy()) == pytest.approx(float(expected), rel=1e-5)


def test_a_run_tells_them_of_its_own_accuracies(derpp):
    document = json.loads((derpp / "stages/task_2/retention.json").read_text())
    start_, *after = document["accuracy"]
    told = metrics(derpp, "task_2")
    assert after[2] == [told[f"test/task_{number}/accuracy"] for number in range(3)]
    assert start_ == [metrics(derpp, "start")[f"test/task_{number}/accuracy"] for number in range(3)]
    assert told["test/average_accuracy"] == pytest.approx(np.mean(after[2]))
    assert told["test/old/accuracy"] == pytest.approx(np.mean(after[2][:2]))
    assert told["test/new/accuracy"] == after[2][2]
    assert told["test/forgetting"] == pytest.approx(forgetting(after))
    assert told["test/backward_transfer"] == pytest.approx(backward(after))
    assert told["test/forward_transfer"] == pytest.approx(forward(start_, after))
    assert "test/old/accuracy" not in metrics(derpp, "task_0")
    saved = np.load(derpp / "predictions/task_1.npz"), np.load(derpp / "predictions/task_2.npz")
    of_last = np.isin(saved[0]["test_labels"], [7, 8, 9])
    before, now = (each["test_logits"][of_last] for each in saved)
    assert told["test/new/start_kl"] == pytest.approx(divergence(before, now), rel=1e-4)


def test_what_is_kept_counts_where_the_level_is_reached(tmp_path):
    for level, is_reached in ((0.0, True), (1.0, False)):
        path = digits(tmp_path / str(level), "continual_replay", f"method.level={level}", "dataset.stream.num=2")
        told = metrics(path, "task_1")
        short = told["val/new/accuracy"] - level
        assert (short < 0) is not is_reached
        assert told["val/kept"] == (told["val/old/accuracy"] if is_reached else short)
        assert "val/kept" not in metrics(path, "task_0")


# What is learned -----------------------------------------------------------------------------------------------------


def test_labels_of_items_of_which_several_classes_are_right():
    assert learned(Targets.label, RIGHT).tolist() == [0, 1, 0]
    assert learned(Targets.uniform, RIGHT)[0].tolist() == [0.5, 0, 0.5, 0]
    for targets in (Targets.any, Targets.own, Targets.own_hard):
        assert learned(targets, RIGHT) is RIGHT
    many = RIGHT.repeat(200, 1)
    one, again, other = (learned(Targets.random, many, seed) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert many[torch.arange(len(many)), one].all()
    assert set(one.tolist()) == {0, 1, 2, 3}


class Linear(torch.nn.Linear):
    """Something that is frozen as teachers are."""

    lineage = ()

    def answer(self, view):
        with torch.no_grad():
            return self(view)


def batch(label, beside=None, **known):
    size = len(label)
    draws = Draws((0, "test"), slice(0, size), size)
    items = torch.randn(size, 5, generator=torch.Generator().manual_seed(size))
    return Batch(3, torch.arange(size), {"weak": [items]}, {"label": label, **known}, draws, beside or {})


def method(*words):
    return settings("method=continual_plain", *CLASSES, *words).method


MEMBERS = torch.tensor([[True, True, False, False], [False, False, True, True]])


def objective(words, before=None, number=1):
    torch.manual_seed(0)
    return Continual(Linear(5, 4), Categorical(4), method(*words), before, MEMBERS, number)


def test_the_divergence_is_over_the_classes_that_were_known():
    before = Linear(5, 4)
    taught = objective(("method.stay=0.7", "method.temperature=3"), before)
    one = batch(torch.tensor([2, 3, 2]))
    terms = taught(one).terms
    now, then = taught.student(one.views["weak"][0]), before.answer(one.views["weak"][0])
    expected = F.kl_div((now[:, :2] / 3).log_softmax(1), (then[:, :2] / 3).softmax(1), reduction="batchmean")
    torch.testing.assert_close(terms["stay"], 0.7 * 9 * expected)
    torch.testing.assert_close(terms["ce"], F.cross_entropy(now, one.known["label"]))


def test_kept_items_are_learned_with_labels_and_with_what_was_said_of_them():
    taught = objective(("method.replayed_ratio=1", "method.replay=0.5", "method.recalled_ratio=1", "method.recall=0.3"))
    beside = {REPLAYED: batch(torch.tensor([0, 1])), RECALLED: batch(torch.tensor([1] * 4), logits=torch.randn(4, 4))}
    terms = taught(batch(torch.tensor([2, 3, 3]), beside)).terms
    replayed, recalled = (taught.student(beside[word].views["weak"][0]) for word in (REPLAYED, RECALLED))
    torch.testing.assert_close(terms["replayed"], 0.5 * F.cross_entropy(replayed, torch.tensor([0, 1])))
    torch.testing.assert_close(terms["recalled"], 0.3 * (recalled - beside[RECALLED].known[LOGITS]).square().mean())


@pytest.mark.parametrize("targets", ["own", "own_hard"])
def test_own_targets_are_what_was_said_before_among_what_is_right(targets):
    before = Linear(5, 4)
    taught = objective((f"method.targets={targets}",), before)
    one = batch(RIGHT)
    then = before.answer(one.views["weak"][0])
    among = then.softmax(1) * RIGHT
    among = among / among.sum(1, keepdim=True)
    if targets == "own_hard":
        among = F.one_hot(among.argmax(1), 4).float()
    log_now = taught.student(one.views["weak"][0]).log_softmax(1)
    expected = (torch.xlogy(among, among) - among * log_now).sum(1).mean()
    torch.testing.assert_close(taught(one).terms["ce"], expected)


def test_what_was_said_of_another_item_stays_within_what_is_right():
    """With the targets of another item, those of its classes that are wrong here have no part."""
    taught = objective(("method.targets=own",), Linear(5, 4))
    taught.surrogate = Shuffled()
    far = torch.full((3, 4), -30.0)
    far[:, 0] = 30.0  # which is right of the first and the last alone
    told = replace(batch(RIGHT), targets=far)
    log_now = taught.student(told.views["weak"][0]).log_softmax(1)
    expected = torch.stack([-log_now[0, 0], -log_now[1, [1, 3]].mean() - np.log(2), -log_now[2, 0]]).mean()
    torch.testing.assert_close(taught(told).terms["ce"], expected)


def test_a_head_each_answers_for_its_task_alone():
    taught = objective(("method.heads=each",))
    one = batch(torch.tensor([2, 3]), task=torch.tensor([1, 1]))
    logits = taught.student(one.views["weak"][0])[:, 2:]
    torch.testing.assert_close(taught(one).terms["ce"], F.cross_entropy(logits, torch.tensor([0, 1])))


def test_with_a_head_each_no_class_of_another_task_is_predicted(tmp_path):
    path = digits(tmp_path / "run", "continual_plain", "method.heads=each", "dataset.stream.num=2")
    saved = np.load(path / "predictions/task_1.npz")
    is_second = saved["test_labels"] >= 5
    assert (saved["test_logits"].argmax(axis=1) >= 5).tolist() == is_second.tolist()
    assert (saved["test_logits"][is_second, :5] == NEVER).all()


# What is kept --------------------------------------------------------------------------------------------------------


def test_a_sample_of_earlier_tasks_is_kept_and_its_stages_are_let_go(derpp):
    stages = {stage["name"]: stage for stage in summary(derpp)["stages"]}
    assert list(stages) == ["start", "task_0", "task_0_buffer", "task_1", "task_1_buffer", "task_2"]
    assert [name for name, stage in stages.items() if stage.get("released")] == ["task_0"]
    kept = torch.load(derpp / "stages/task_1_buffer/items.pt", weights_only=True)
    assert {name: len(values) for name, values in kept.items()} == dict.fromkeys(
        ("image", "task", "label", "logits", "key"), 25
    )
    assert set(kept["task"].tolist()) == {0, 1}
    assert "Buffer       25 items, 0.0 MB, after task_1" in (derpp / "run.log").read_text()


def test_a_run_of_many_tasks_goes_on_where_weights_are_let_go_and_is_judged_again(tmp_path, monkeypatch, called):
    asked = (*BASE, "method=continual", *CLASSES, "dataset.stream.num=5")
    whole = start(tmp_path / "whole", *asked, base=())
    in_pieces(tmp_path / "run", monkeypatch, *asked)
    assert differences(whole, tmp_path / "run") == []
    code, text = called("evaluate", str(whole))
    assert code == 0, text
    (again,) = (whole / "evaluations").iterdir()
    told, anew = summary(whole)["metrics"], summary(again)["metrics"]
    shared = told.keys() & anew.keys()
    assert "test/new/start_kl" in shared
    assert {key: anew[key] for key in shared} == pytest.approx({key: told[key] for key in shared}, abs=1e-6)


def test_replay_sees_as_many_kept_items_a_step():
    ratios = {
        name: settings(f"method={name}", *CLASSES).method
        for name in ("continual", "continual_derpp", "continual_der", "continual_replay")
    }
    assert {one.replayed_ratio + one.recalled_ratio for one in ratios.values()} == {2}


def test_methods_share_the_first_task_in_a_sweep(tmp_path):
    paths = [digits(tmp_path / name, name, store=tmp_path / "store") for name in ("continual", "continual_lwf")]
    other = digits(tmp_path / "joint", "continual_joint", store=tmp_path / "store")
    assert [list(manifest(path).get("shared", {})) for path in (*paths, other)] == [[], ["task_0"], ["task_0"]]
    first, second = ((path / "predictions/task_0.npz").read_bytes() for path in paths)
    assert first == second


def test_the_first_task_may_be_trained_by_an_optimiser_of_its_own(tmp_path):
    words = ("method.first_lr=0.02", "method.first_epochs=4", "dataset.stream.num=2")
    path = digits(tmp_path / "run", "continual_plain", *words)
    steps = {stage["name"]: stage["steps"] for stage in summary(path)["stages"] if stage["steps"]}
    assert steps == {"task_0": 12, "task_1": 6}
    assert "2 stages of at most 12 steps" in (path / "run.log").read_text()


def test_all_tasks_so_far_are_a_line_above(tmp_path):
    path = digits(tmp_path / "run", "continual_joint")
    steps = [stage["steps"] for stage in summary(path)["stages"] if stage["steps"]]
    assert steps[0] < steps[1] < steps[2]


# Where several classes are right -------------------------------------------------------------------------------------


def test_a_run_on_two_datasets_resumes_bitwise(idx, tmp_path, monkeypatch):
    asked = parity(idx, "continual_own", "method.replayed_ratio=1", "method.replay=1")
    whole = start(tmp_path / "whole", *asked, base=())
    in_pieces(tmp_path / "run", monkeypatch, *asked)
    assert differences(whole, tmp_path / "run") == []
    told = metrics(whole, "task_1")
    saved = np.load(whole / "predictions/task_1.npz")
    right = saved["test_labels"]
    assert right.dtype == bool
    assert right[:10].sum(axis=1).tolist() == [1] * 10
    assert right[10:].sum(axis=1).tolist() == [5] * 10
    hit = right[np.arange(20), saved["test_logits"].argmax(axis=1)]
    assert told["test/accuracy"] == pytest.approx(hit.mean())
    assert told["test/new/accuracy"] == pytest.approx(hit[10:].mean())


@pytest.mark.parametrize("targets", ["label", "random", "uniform", "any", "own_hard"])
def test_other_targets_are_learned(idx, tmp_path, targets):
    path = start(tmp_path / "run", *parity(idx, "continual_plain", f"method.targets={targets}"), base=())
    assert summary(path)["status"] == "completed"


def test_a_control_takes_the_place_of_what_was_said_before(idx, tmp_path):
    for control in ("none", "shuffled"):
        start(tmp_path / control, *parity(idx, "continual_own", f"control={control}", "optim.lr=0.01"), base=())
    logits = [np.load(tmp_path / control / "predictions/task_1.npz")["test_logits"] for control in ("none", "shuffled")]
    assert not np.array_equal(*logits)
    first = [np.load(tmp_path / control / "predictions/task_0.npz")["test_logits"] for control in ("none", "shuffled")]
    np.testing.assert_array_equal(*first)


def test_a_run_is_judged_again_on_its_own_data(idx, tmp_path, called):
    path = start(tmp_path / "run", *parity(idx), base=())
    code, text = called("evaluate", str(path))
    assert code == 0, text
    (again,) = (path / "evaluations").iterdir()
    told = summary(path)["metrics"]
    assert {key: value for key, value in summary(again)["metrics"].items() if key in told} == pytest.approx(
        {key: value for key, value in told.items() if key in summary(again)["metrics"]}
    )
    code, text = called("doctor", str(path))
    assert code == 0, text


# What is refused -----------------------------------------------------------------------------------------------------

REFUSED = {
    (): "dataset.stream: is none, and continual learns from one; choose it by dataset/stream=tasks",
    ("dataset/stream=rotation",): "dataset.stream: is rotation, and continual learns from another",
    ("dataset/stream=classes", "dataset.stream.num=11"): "dataset.stream.num: is 11, and there are 10 classes",
    (
        "dataset/stream=classes",
        "dataset.stream.groups=[[0,1],[1,2]]",
    ): "dataset.stream.groups: has a class in two tasks",
    ("dataset/stream=classes", "dataset.stream.groups=[[0,1],[12]]"): "dataset.stream.groups: names the class 12",
    ("dataset/stream=classes", "dataset.stream.groups=[[0,1]]"): "dataset.stream.groups: needs two or more",
    ("dataset/stream=domain_tasks",): "dataset.stream: is of domains, and this dataset knows none",
    ("dataset/stream=tasks", "dataset.stream.then=[digits]"): "dataset.stream.then: names digits, which is the first",
    ("dataset/stream=tasks", "dataset.stream.then=[no]"): "dataset.stream.then: no: ",
    ("dataset/stream=classes", "method.recall=0"): "method.recalled_ratio: and method.recall have no effect without",
    ("dataset/stream=classes", "method.scope=all"): "method.scope: has no effect",
    ("dataset/stream=classes", "method.level=2"): "method.level: ",
    ("dataset/stream=classes", "method=continual_plain", "control=shuffled"): "control: shuffled makes no sense",
    ("dataset/stream=classes", "control=hard"): "control: hard makes no sense",
    (
        "dataset/stream=classes",
        "method=continual_own",
    ): "method.targets: is about items of which several",
    (
        "dataset/stream=classes",
        "method.heads=each",
        "dataset.stream.flag=true",
    ): "dataset.stream.flag: tells the",
    (
        "dataset/stream=classes",
        "method.heads=each",
        "method.label_smoothing=0.1",
    ): "method.label_smoothing: spreads",
    (
        "dataset/stream=classes",
        "dataset.label_noise=0.1",
    ): "dataset.label_noise: changes classes of one task to those of",
    ("dataset/stream=classes", "dataset.val_size=4"): "dataset.val_size: leaves no item of the task",
    ("dataset/stream=classes", "dataset.val_size=0", "method.level=0.5"): "method.level: is one of validation items",
    ("dataset/stream=classes", "dataset.num_labels=3"): "dataset.train_size: leaves no label of the task",
    ("dataset/stream=classes", "method=continual_plain", "method.recall=1"): "method.recalled_ratio: and method.recall",
    ("dataset/stream=tasks", "dataset.stream.alike=[]"): "dataset.stream.alike: needs groups",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_makes_no_sense_is_refused(words):
    with pytest.raises(InputError) as raised:
        check("method=continual", *words)
    assert REFUSED[words] in str(raised.value)


def test_a_finished_run_predicts_what_a_network_was_told_no_task_of(derpp, idx, tmp_path, called):
    model = sdrun.load(derpp)
    assert model.predict(np.zeros((2, 1, 8, 8), dtype=np.uint8)).shape == (2, 10)
    path = start(tmp_path / "run", *parity(idx), base=())
    with pytest.raises(InputError, match="dataset.stream.flag: tells networks the task of an item"):
        sdrun.load(path).predict(np.zeros((2, 1, 28, 28), dtype=np.uint8))
    other = digits(tmp_path / "each", "continual_plain", "method.heads=each")
    with pytest.raises(InputError, match="method.heads: each answers for items of a task, and these are of none"):
        sdrun.load(other)


def test_a_control_that_takes_the_classes_away_stays_within_what_is_right():
    """What was said before was of a wrong class alone; then all that are right are alike."""
    taught = objective(("method.targets=own",), Linear(5, 4))
    taught.surrogate = Shuffled()
    told = replace(batch(RIGHT), targets=hard(torch.tensor([[0.0, 9, 0, 0]] * 3)))
    log_now = taught.student(told.views["weak"][0]).log_softmax(1)
    expected = torch.stack(
        [-log_now[0, [0, 2]].mean() - np.log(2), -log_now[1, 1], -log_now[2, [0, 2]].mean() - np.log(2)]
    )
    torch.testing.assert_close(taught(told).terms["ce"], expected.mean())


def test_with_a_head_each_the_way_from_the_start_is_of_that_head(tmp_path):
    path = digits(tmp_path / "run", "continual_plain", "method.heads=each", "dataset.test_view=strong")
    saved = [np.load(path / f"predictions/task_{number}.npz") for number in (1, 2)]
    of_last = np.isin(saved[0]["test_labels"], [7, 8, 9])
    before, now = (each["test_logits"][of_last][:, 7:] for each in saved)
    assert 0 < metrics(path, "task_2")["test/new/start_kl"] < 10
    assert now.shape == before.shape


def test_a_head_each_needs_classes_of_its_own(idx):
    with pytest.raises(InputError, match="method.heads: is each, and tasks have classes in common"):
        check(*parity(idx, "continual_plain", "method.heads=each", "dataset.stream.flag=false"))


def test_alike_classes_are_of_the_datasets(idx):
    for groups, told in {
        "[[0,2],[1,3]]": "has no class of the first dataset for 4",
        "[[0,30]]": "names the class 30",
    }.items():
        with pytest.raises(InputError, match=f"dataset.stream.alike: {told}"):
            check(*parity(idx, "continual_own", f"dataset.stream.alike={groups}"))


def test_other_methods_do_not_learn_from_sets_of_classes(idx):
    with pytest.raises(InputError, match="method: cs_kd needs one right class of each item"):
        check(*parity(idx, "cs_kd"))


def test_texts_have_no_place_for_a_flag():
    with pytest.raises(InputError, match="dataset.stream.flag: tells a network the task of images and vectors"):
        check(
            "method=continual",
            "dataset=sentences",
            "dataset/stream=classes",
            "dataset.stream.num=2",
            "dataset.stream.flag=true",
        )
