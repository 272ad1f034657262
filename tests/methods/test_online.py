"""Learning from a stream without labels: who labels, what counts, what is kept, and what is said of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import sdrun
from helpers import SMALL, SMALL_VIT, check, differences, in_pieces, manifest, settings, start, summary
from sdrun import run, tasks
from sdrun.data import splits as splitting
from sdrun.data.reservoir import sample
from sdrun.data.source import Memory
from sdrun.errors import InputError
from sdrun.methods.online.judge import averages
from sdrun.methods.online.labels import Said, Validated, confident, pseudo_labels
from sdrun.methods.online.learning import balanced, learned, objection
from sdrun.methods.online.pictures import by_class, over_the_stream
from sdrun.methods.online.statistics import statistics

STREAM = ("dataset/stream=rotation", "dataset.num_labels=40", "dataset.stream.periods=3", "dataset.stream.held_out=30")


def asked(choice="online", *more):
    return (f"method={choice}", *STREAM, "optim.epochs=2", *more)


def method(*words):
    return settings("method=online", *STREAM, *words).method


@pytest.fixture(scope="module")
def gradual(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "gradual", *asked("online_gradual"))


def stages(path):
    return {stage["name"]: stage for stage in summary(path)["stages"]}


# Labels --------------------------------------------------------------------------------------------------------------


def test_the_least_confident_do_not_count_and_of_equals_the_first_do():
    confidence, prediction = torch.tensor([0.9, 0.5, 0.5, 0.8, 0.5]), torch.tensor([0, 0, 0, 1, 1])
    assert confident(confidence, prediction, method("method.drop=0.4")).tolist() == [True, True, False, True, False]
    by_class = confident(confidence, prediction, method("method.drop=0.5", "method.by_class=true"))
    assert by_class.tolist() == [True, True, False, True, False]
    assert confident(confidence, prediction, method("method.drop=0")).all()


def test_labels_are_classes_or_probabilities():
    said = Said([torch.tensor([[2.0, 0.0], [0.0, 1.0]])])
    hard, soft = (
        pseudo_labels(said, None, method("method.drop=0", f"method.targets={kind}")) for kind in ("hard", "soft")
    )
    assert hard["label"].tolist() == hard["prediction"].tolist() == [0, 1]
    torch.testing.assert_close(soft["label"], said.probabilities.float())


def test_several_label_by_their_mean_and_where_they_agree():
    one, other = torch.tensor([[3.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    said = Said([one, other])
    torch.testing.assert_close(said.probabilities, (one.double().softmax(1) + other.double().softmax(1)) / 2)
    fields = pseudo_labels(said, None, method("method.drop=0"))
    assert fields["label"].tolist() == [0, 1]
    assert fields["counts"].tolist() == [True, False]


def test_a_threshold_is_the_lowest_at_which_so_many_are_right():
    confidence = torch.tensor([0.9, 0.8, 0.8, 0.6, 0.5])
    validated = Validated(confidence, torch.tensor([True, True, False, True, False]))
    assert validated.at_precision(0.75) == pytest.approx(0.6)
    assert validated.at_precision(0.7) == pytest.approx(0.6)
    assert validated.at_precision(0.5) == pytest.approx(0.5)
    assert validated.at_precision(0.9) == pytest.approx(0.9)  # of the two that are equal, neither
    assert Validated(confidence, torch.zeros(5, dtype=torch.bool)).at_precision(0.1) == float("inf")


def test_the_share_that_is_likely_right_is_that_of_validation_on_its_own_items():
    random = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(500, 4, generator=random)
    said = Said([logits])
    is_right = torch.rand(500, generator=random, dtype=torch.double) < said.confidence
    fields = pseudo_labels(said, Validated(said.confidence, is_right), method())
    assert fields["likely"].double().mean() == pytest.approx(is_right.double().mean().item(), abs=1e-9)
    unsure = pseudo_labels(Said([logits / 3]), Validated(said.confidence, is_right), method())
    assert unsure["likely"].double().mean() < is_right.double().mean() - 0.2


def test_a_sample_has_each_item_with_the_same_probability():
    parts = [Memory({"item": torch.arange(start, start + 20)}) for start in (0, 20, 40)]
    counts = torch.zeros(60)
    for seed in range(400):
        kept = {}
        for number, part in enumerate(parts):
            kept = sample(kept, part, 15, seed, number)
        assert len(set(kept["item"].tolist())) == 15
        counts[kept["item"]] += 1
    shares = counts.view(3, 20).sum(1) / counts.sum()
    assert (shares - 1 / 3).abs().max() < 0.03
    assert counts.min() > 50


def test_what_is_learned_is_held_against_the_truth():
    told = {
        "prediction": np.array([0, 1, 1, 0]),
        "label": np.array([0, 1, 1, 1]),
        "counts": np.array([True, True, False, True]),
        "likely": np.array([True, False, True, True]),
    }
    metrics = learned(told, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), ["a", "b"])
    assert metrics == {
        "present/prequential_accuracy": 0.5,
        "present/mask": 0.75,
        "present/unchanged": 0,
        "present/pseudo_label_accuracy": pytest.approx(2 / 3),
        "present/estimated_accuracy": pytest.approx(2 / 3),
        "present/pseudo_label_accuracy/a": 0.5,
        "present/mask/a": 1,
        "present/pseudo_label_accuracy/b": 1,
        "present/mask/b": 0.5,
    }


def test_balance_is_that_of_the_labelled_items():
    splits = splitting.split(tasks.load(settings(*STREAM).dataset), settings(*STREAM, "dataset.val_size=100").dataset)
    labels = splits.train.labels[splits.labelled]
    assert balanced(labels, splits) == {"present/imbalance": 0}
    assert balanced(np.zeros(9, int), splits)["present/imbalance"] == pytest.approx(1 - (labels == 0).mean())


def test_an_update_is_objected_to_by_what_is_measured_without_labels():
    metrics = {"present/estimated_accuracy": 0.4, "present/imbalance": 0.3, "present/pseudo_label_accuracy": 0}
    assert objection(metrics, method()) == ""
    assert "40% of its pseudo-labels are right, by an estimate" in objection(
        metrics, method("method.least_accuracy=0.5")
    )
    assert "0.30 away" in objection(metrics, method("method.most_imbalance=0.2"))


def test_labels_that_are_hidden_change_no_weight(gradual, tmp_path, monkeypatch):
    def without(*arguments):
        splits = splitting.split(*arguments)
        hidden = np.setdiff1d(np.arange(len(splits.train)), splits.labelled)
        labels, truth = splits.train.labels.copy(), splits.true_labels.copy()
        labels[hidden] = truth[hidden] = 0
        periods = replace(splits.periods, true_labels=truth)
        return replace(splits, train=replace(splits.train, labels=labels), true_labels=truth, periods=periods)

    monkeypatch.setattr(run, "split", without)
    other = start(tmp_path / "run", *asked("online_gradual"))
    assert {name: stage.get("sha256") for name, stage in stages(other).items()} == {
        name: stage.get("sha256") for name, stage in stages(gradual).items()
    }


def test_the_line_above_learns_what_is_true(tmp_path):
    last = stages(start(tmp_path / "run", *asked("online_labelled")))["period_3"]["metrics"]
    assert last["stream/pseudo_label_accuracy"] == last["stream/mask"] == 1


SOMETIMES = (
    *("method=online_ema", "method.momentum=0.5", "method.drop=0", "method.precision=0.3"),
    *("method.most_imbalance=0.75", "optim.epochs=6", "optim.lr=0.02"),
)
"""Takes some updates back, and others not."""

# The choices ---------------------------------------------------------------------------------------------------------


def test_a_frozen_network_is_that_of_the_first_period(gradual, tmp_path):
    path = start(tmp_path / "run", *asked("online_frozen"))
    assert stages(path)["source"]["sha256"] == stages(gradual)["source"]["sha256"]
    of_source, final = stages(path)["source"]["metrics"], summary(path)["metrics"]
    assert final["test/accuracy"] == of_source["test/accuracy"]
    assert final["last/accuracy"] == of_source["last/accuracy"]
    assert stages(path)["period_3"]["metrics"]["first/accuracy"] == of_source["first/accuracy"]


def test_statistics_are_those_of_the_period_and_nothing_else_changes(tmp_path):
    path = start(tmp_path / "run", *asked("online_bn"))
    model = sdrun.load(path)
    state = model.network.state_dict()
    (made,) = (path / "stages").glob("period_3_statistics/items.pt")
    for name, values in torch.load(made, weights_only=True).items():
        assert torch.equal(state[name], values)
    source = torch.load(path / "stages/source/last.pt", weights_only=True)
    others = {name.removeprefix("student."): values for name, values in source.items()}
    changed = {name for name, values in others.items() if not torch.equal(state[name], values)}
    assert {name.rpartition(".")[2] for name in changed} == {"running_mean", "running_var", "num_batches_tracked"}


def test_statistics_are_plain_means_over_batches():
    class Data:
        def answers(self, network, items, trained):
            for module in trained:
                module.train()
            for batch in items:
                network(batch)

    network = torch.nn.Sequential(torch.nn.BatchNorm1d(3))
    items = [torch.randn(8, 3, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]
    fields = statistics(network, items, Data())
    torch.testing.assert_close(fields["0.running_mean"], torch.stack([x.mean(0) for x in items]).mean(0))
    torch.testing.assert_close(fields["0.running_var"], torch.stack([x.var(0) for x in items]).mean(0))
    assert network[0].momentum == 0.1
    assert not network[0].training


@pytest.mark.parametrize(
    "words",
    [
        ("method=online_ema",),
        ("method=online", "method.labelled_ratio=1", "method.stay=1"),
        ("method=online", "method.targets=soft"),
        ("method=online", "method.scope=everything"),
        ("method=online", "method.members=2", "method.buffered_ratio=1", "method.buffer=30", "optim.epochs=6"),
        SOMETIMES,
    ],
)
def test_what_else_may_be_learned_resumes_and_is_used(words, tmp_path, monkeypatch):
    whole = start(tmp_path / "whole", *asked(), *words)
    in_pieces(tmp_path / "pieces", monkeypatch, *SMALL, *asked(), *words)
    assert differences(whole, tmp_path / "pieces") == []
    taken_back = {name for name in stages(whole) if name.endswith("_unchanged")}
    assert 0 < len(taken_back) < 3 if words is SOMETIMES else not taken_back
    assert sdrun.load(whole).predict(np.zeros((2, 1, 8, 8), np.uint8)).shape == (2, 10)


# The guard -----------------------------------------------------------------------------------------------------------


def test_a_control_that_knows_the_future_takes_no_more_steps(tmp_path):
    made = {
        scope: start(tmp_path / scope, *asked("online_gradual", f"method.scope={scope}", "optim.batch_size=4"))
        for scope in ("period", "everything")
    }
    steps = {scope: {name: stage["steps"] for name, stage in stages(path).items()} for scope, path in made.items()}
    assert steps["everything"] == steps["period"]
    assert summary(made["everything"])["metrics"] != summary(made["period"])["metrics"]


def test_a_guard_that_takes_everything_back_leaves_the_network_of_the_first_period(gradual, tmp_path, called):
    path = start(tmp_path / "run", *asked("online_gradual"), "method.most_imbalance=0")
    told = stages(path)
    assert {name: stage["metrics"]["present/unchanged"] for name, stage in told.items() if "unchanged" in name} == {
        f"period_{number}_unchanged": 1 for number in (1, 2, 3)
    }
    assert summary(path)["metrics"]["stream/unchanged"] == 1
    assert told["period_3_unchanged"]["metrics"]["present/accuracy"] == told["source"]["metrics"]["last/accuracy"]
    first = told["period_1"]["metrics"]["present/pseudo_label_accuracy"]
    assert first == told["period_1_unchanged"]["metrics"]["present/pseudo_label_accuracy"]
    assert told["period_1"]["sha256"] == stages(gradual)["period_1"]["sha256"]
    assert {file.parent.name for file in (path / "stages").glob("*/*.pt")} == {"source", "period_3", "period_3_labels"}
    assert "period_2: its classes are" in (path / "run.log").read_text()
    weights = sdrun.load(path).network.state_dict()
    source = torch.load(path / "stages/source/last.pt", weights_only=True)
    assert all(torch.equal(source[f"student.{name}"], values) for name, values in weights.items())
    assert called("evaluate", str(path))[0] == 0


def test_a_period_of_which_nothing_counts_changes_nothing(tmp_path):
    path = start(tmp_path / "run", *asked("online"), "method.drop=0", "method.precision=1", "optim.epochs=1")
    told = stages(path)
    assert set(told) == {"source", *(f"period_{n}_{word}" for n in (1, 2, 3) for word in ("labels", "unchanged"))}
    assert told["period_3_unchanged"]["metrics"]["stream/mask"] < 0.01
    assert "too few of its items count" in (path / "run.log").read_text()


def test_all_weights_may_be_kept(tmp_path):
    path = start(tmp_path / "run", *asked("online_gradual"), "method.keep=all")
    there = {file.parent.name for file in (path / "stages").glob("*/*.pt")}
    assert there == {"source", *(f"period_{n}{word}" for n in (1, 2, 3) for word in ("", "_labels"))}


# What is kept and said -----------------------------------------------------------------------------------------------


def test_weights_that_nothing_needs_any_more_are_gone(gradual):
    there = {file.parent.name for file in (gradual / "stages").glob("*/*.pt")}
    assert there == {"source", "period_3", "period_3_labels"}
    assert [name for name, stage in stages(gradual).items() if stage.get("released")] == [
        "period_1_labels",
        "period_1",
        "period_2_labels",
        "period_2",
    ]
    assert manifest(gradual)["status"] == "completed"


def test_what_was_deleted_is_no_damage(gradual, called):
    code, out = called("doctor", str(gradual))
    assert (code, "period_1" in out) == (0, False)


def test_what_is_left_is_used_and_judged_again(gradual, called):
    code, out = called("evaluate", str(gradual))
    assert code == 0, out
    (path,) = (gradual / "evaluations").iterdir()
    again, before = (json.loads((place / "summary.json").read_text())["metrics"] for place in (path, gradual))
    for key in ("test/accuracy", "stream/accuracy", "stream/prequential_accuracy", "last/accuracy"):
        assert again[key] == pytest.approx(before[key], abs=1e-9)


def test_periods_are_judged_where_the_stream_began_is_and_ends(gradual):
    told = [stages(gradual)[name]["metrics"] for name in ("source", "period_1", "period_2", "period_3")]
    for number, metrics in enumerate(told):
        assert metrics["present/accuracy"] == metrics[f"period_{number}/accuracy"]
        assert metrics["first/accuracy"] == metrics["period_0/accuracy"]
        assert metrics["last/accuracy"] == metrics["period_3/accuracy"]
    last = told[-1]
    assert last["stream/accuracy"] == pytest.approx(np.mean([metrics["present/accuracy"] for metrics in told[1:]]))
    assert last["present/mask"] == pytest.approx(0.9, abs=0.05)
    assert "test/accuracy" in told[0]
    assert "test/accuracy" not in told[1]


def test_a_stream_is_drawn_by_what_is_known_of_it():
    first = {"present/accuracy": 0.9, "first/accuracy": 0.9, "last/accuracy": 0.1, "present/ece": 0.1}
    later = {"present/mask": 0.5, "present/mask/a": 0.4, "present/unchanged": 1.0, "present/estimated_accuracy": 0.7}
    figure = over_the_stream([first, first | later])
    assert [axis.get_ylabel() for axis in figure.axes] == ["accuracy, %", "pseudo-labels, %", "calibration error, %"]
    labels = [[text.get_text() for text in axis.get_legend().get_texts()] for axis in figure.axes]
    assert labels[0] == ["on the present period", "on the first", "on the last"]
    assert labels[1] == ["right, as estimated without labels", "that count"]
    assert len(over_the_stream([first | {"present/ece": 0.1}]).axes) == 2
    heat = by_class([first, later, later], "present/mask", "items that count, %", ["a", "b"]).axes[0]
    assert heat.images[0].get_array().shape == (2, 2)
    assert heat.images[0].get_extent()[:2] == [0.5, 2.5]
    assert [label.get_text() for label in heat.get_yticklabels()] == ["a", "b"]


def test_a_mean_is_over_the_periods_that_have_it():
    history = [{"present/accuracy": 0.5}, {"present/accuracy": 0.7, "present/mask": 0.9}]
    assert averages(history) == {"stream/accuracy": pytest.approx(0.6), "stream/mask": 0.9}


def test_long_streams_are_judged_at_a_few_places(tmp_path, monkeypatch):
    monkeypatch.setattr("sdrun.methods.online.judge.MOST_MAPPED", 3)
    metrics = stages(start(tmp_path / "run", *asked("online_frozen")))["period_2"]["metrics"]
    assert not any(key.startswith("period_") for key in metrics)
    assert {"first/accuracy", "present/accuracy", "last/accuracy"} <= metrics.keys()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("method.drop=1",), "method.drop: must be between 0 and 0.99, but is 1"),
        (("method.learns=nothing",), "method.drop: has no effect with method.learns=nothing; set it to 0"),
        (
            ("method.learns=statistics", "method.drop=0", "method.labeller=ema"),
            "method.labeller: has no effect with method.learns=statistics; set it to student",
        ),
        (
            ("method.learns=nothing", "method.drop=0", "method.scope=last"),
            "method.scope: has no effect with method.learns",
        ),
        (("method.labeller=truth",), "method.drop: has no effect with method.labeller=truth; set it to 0"),
        (
            ("method.labeller=truth", "method.drop=0", "method.members=3"),
            "method.members: has no effect with",
        ),
        (("method.precision=0.9",), "method.precision: says what counts, and so does method.drop; set that to 0"),
        (
            ("method.learns=nothing", "method.drop=0", "method.least_accuracy=0.5"),
            "method.least_accuracy: has no effect with method.learns=nothing; set it to 0",
        ),
        (("method.drop=0", "method.by_class=true"), "method.by_class: has no effect with method.drop=0; set that too"),
        (
            ("method.targets=soft", "method.label_smoothing=0.1"),
            "method.label_smoothing: has no effect on method.targets",
        ),
        (("dataset=sentences", "model=bag"), "dataset.stream: rotation is of images, and dataset=sentences has texts"),
    ],
)
def test_what_does_not_go_together_is_refused(words, message):
    with pytest.raises(InputError, match=message):
        check("method=online", *STREAM, *words)


def test_a_period_has_enough_to_learn_from(tmp_path):
    message = "dataset.stream.periods: leaves 1 items of a period to learn from, and the model needs 2; lower it, or"
    with pytest.raises(InputError, match=message):
        start(tmp_path / "run", *asked(), "dataset.stream.periods=80")


@pytest.mark.parametrize("words", [("method.precision=0.9", "method.drop=0"), ("method.least_accuracy=0.5",)])
def test_what_is_measured_on_validation_needs_some(words, tmp_path):
    with pytest.raises(InputError, match="is measured on validation items, and there are none; set dataset.val_size"):
        start(tmp_path / "run", *asked(), *words, "dataset.val_size=0")


def test_it_needs_a_stream():
    message = "dataset.stream: is none, and online learns from one; choose it by dataset/stream=rotation"
    with pytest.raises(InputError, match=message):
        check("method=online")


def test_statistics_need_a_model_that_has_some(tmp_path):
    with pytest.raises(InputError, match="method.learns: is statistics, and this model has none of BatchNorm"):
        start(tmp_path / "run", *asked("online_bn"), base=SMALL_VIT)
