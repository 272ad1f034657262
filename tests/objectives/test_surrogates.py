"""Surrogates say what they are meant to, of the whole batch however it is parted, and leave no trace."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import SMALL, differences, in_pieces, points, settings, start, weights
from sdrun.errors import InputError, RunError
from sdrun.methods.consistency.objective import Consistency
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.objectives.surrogates import ClassMean, Hard, Shuffled, ShuffledInClass, controlled, surrogate
from sdrun.randomness import Draws
from sdrun.settings import CONTROLS, Control
from sdrun.streams.batch import Batch
from sdrun.trees import leaves

N, K = 24, 4


def draws(step=0, rows=slice(0, N), total=N):
    return Draws((0, "test", step), rows, total)


def logits(num=N):
    return torch.randn(num, K, generator=torch.Generator().manual_seed(0))


class Echo(Objective):
    """Whose teacher says of an item what the batch knows of it."""

    def __init__(self, control=Control.shuffled):
        super().__init__()
        self.student = nn.Sequential(nn.BatchNorm1d(K), nn.Linear(K, K))
        self.teachers = []
        self.surrogate = surrogate(control, K, nn.Linear(K, K))

    def forward(self, batch):
        return StepOutput({}, batch.targets)

    def targets(self, batch, network=None):
        teacher = network or nn.Identity()
        self.student(batch.known["z"])  # which counts in the statistics of BatchNorm, if it is let
        return {"": teacher(batch.known["z"]), "other": teacher(batch.beside["other"].known["z"])}


def batch(start=0, stop=N, total=N):
    """One of another batch beside it, half as large."""
    z = logits()
    half = slice(start // 2, stop // 2)
    other = Batch(0, torch.arange(N // 2)[half], {}, {"z": -z[: N // 2][half]}, Draws((1, 0), half, total // 2))
    own = slice(start, stop)
    return Batch(0, torch.arange(N)[own], {}, {"z": z[own]}, Draws((0, 0), own, total), {"other": other})


def test_shuffled_targets_are_each_those_of_another_sample():
    for step in range(20):
        taken = Shuffled()(torch.arange(N), draws(step))
        assert sorted(taken.tolist()) == list(range(N))
        assert not (taken == torch.arange(N)).any()
    assert not torch.equal(Shuffled()(torch.arange(N), draws(0)), Shuffled()(torch.arange(N), draws(1)))


def test_in_class_they_are_of_another_sample_that_is_predicted_alike():
    z = torch.cat([logits(), -100 * torch.eye(K)[:1]])  # a copy of each row's place stands beside its logits
    z[-1] = torch.tensor([0.0, 0.0, 0.0, 99.0])
    label = z.argmax(dim=1)
    assert label.bincount().min() > 1
    tree = {"logits": z, "place": torch.arange(len(z))}
    for step in range(20):
        taken = ShuffledInClass()(tree, Draws((0, step), slice(0, len(z)), len(z)))
        assert torch.equal(taken["logits"].argmax(dim=1), label)
        assert torch.equal(taken["logits"], z[taken["place"]])
        assert sorted(taken["place"].tolist()) == list(range(len(z)))
        assert not (taken["place"] == torch.arange(len(z))).any()


def test_one_that_is_alone_in_its_class_keeps_its_own():
    z = 5 * torch.eye(K)
    assert torch.equal(ShuffledInClass()(z, Draws((0,), slice(0, K), K)), z)


def test_the_mean_of_a_class_is_that_of_its_probabilities_and_earlier_steps_fade():
    mean, first, second = ClassMean(K), logits(), logits() + 1.5 * torch.eye(K)[0]
    label = first.argmax(dim=1)
    mean.see([first[:9], first[9:]])
    told = mean(first, draws())
    for k in range(K):
        torch.testing.assert_close(told[label == k].softmax(dim=1)[0], first[label == k].softmax(dim=1).mean(dim=0))
    mean.see([second])
    later = mean(second, draws())
    label = second.argmax(dim=1)
    both = torch.cat([first, second])
    weight = torch.cat([torch.full((N,), 0.99), torch.ones(N)])
    for k in label.unique():
        of_class = both.argmax(dim=1) == k
        shares = weight[of_class] / weight[of_class].sum()
        expected = (shares[:, None] * both[of_class].softmax(dim=1)).sum(dim=0)
        torch.testing.assert_close(later[label == k].softmax(dim=1)[0], expected)


def test_hard_and_constant_targets_are_what_their_names_say():
    z = logits()
    for temperature in (0.5, 1.0, 20.0):
        hard = (Hard()(z, draws()) / temperature).softmax(dim=1)
        torch.testing.assert_close(hard, F.one_hot(z.argmax(dim=1), K).float())
    constant = surrogate(Control.constant, K, None)(z, draws()).softmax(dim=1)
    torch.testing.assert_close(constant, torch.full((N, K), 1 / K))


@pytest.mark.parametrize("control", CONTROLS)
def test_it_does_not_matter_how_a_batch_is_parted(control):
    first = Echo(control)
    (whole,) = controlled(deepcopy(first), [batch()], lambda x: x)
    for num in (2, 3):
        pieces = controlled(deepcopy(first), batch().split(num), lambda x: x)
        assert torch.equal(torch.cat([piece.targets for piece in pieces]), whole.targets)
        beside = torch.cat([piece.beside["other"].targets for piece in pieces])
        assert torch.equal(beside, whole.beside["other"].targets)
    for first_row in (0, N // 2):
        rank = batch(first_row, first_row + N // 2).split(2)
        of_all = iter(first.targets(batch(), first.surrogate.network).values())
        pieces = controlled(deepcopy(first), rank, lambda x, of_all=of_all: next(of_all))
        assert torch.equal(
            torch.cat([piece.targets for piece in pieces]), whole.targets[first_row : first_row + N // 2]
        )


def test_the_look_beforehand_does_not_count_in_batchnorm():
    objective = Echo()
    before = {name: value.clone() for name, value in objective.student.state_dict().items()}
    controlled(objective, batch().split(2), lambda x: x)
    for name, value in objective.student.state_dict().items():
        assert torch.equal(value, before[name])


def test_an_objective_that_does_not_say_what_is_taught_is_refused():
    objective = Echo()
    objective.targets = lambda *_: {}
    with pytest.raises(RunError, match=r"control: Echo does not say what is taught; give it targets"):
        controlled(objective, [batch()], lambda x: x)


REFUSED = {
    "supervised": list(CONTROLS),
    "dino": [Control.constant, Control.shuffled_in_class, Control.classmean, Control.hard],
    "fixmatch": [Control.constant, Control.shuffled_in_class, Control.classmean, Control.hard],
    "uda": [Control.constant, Control.classmean, Control.hard],
    "layerwise": [Control.constant, Control.classmean, Control.hard],
    "born_again method.targets=hard": [Control.constant, Control.shuffled_in_class, Control.classmean, Control.hard],
    "born_again method.targets=top2": [Control.constant, Control.hard],
    **{name: [] for name in ("born_again", "mean_teacher", "consistency", "cs_kd", "ps_kd", "layerwise method.beta=0")},
}


@pytest.mark.parametrize("method", REFUSED)
def test_those_that_make_no_sense_are_refused(method):
    asked = settings(*f"method={method}".split())
    for control in CONTROLS:
        if control in REFUSED[method]:
            with pytest.raises(InputError, match=rf"control: {control.value} makes no sense with method=.*; it takes"):
                replace(asked, control=control)
        else:
            replace(asked, control=control)


RESUMED = {"born_again": "classmean", "layerwise": "random"}


@pytest.mark.parametrize("method", RESUMED)
def test_a_run_under_a_control_resumes_bitwise_and_is_another(method, tmp_path, monkeypatch):
    asked = (f"method={method}", "optim.epochs=2", f"control={RESUMED[method]}", "optim.accumulate=2")
    whole = start(tmp_path / "whole", *asked)
    in_pieces(tmp_path / "pieces", monkeypatch, *SMALL, *asked)
    other = start(tmp_path / "other", *asked[:2], asked[3])
    assert differences(whole, tmp_path / "pieces") == []
    own, others = weights(whole), weights(other)
    last = [name for name in own if "/last/student" in name and "generation_0" not in name and name in others]
    assert any(not torch.equal(own[name], others[name]) for name in last)


def test_the_first_generation_has_no_teacher_to_stand_in_for(tmp_path):
    asked = ("method=born_again", "generations=2", "optim.epochs=1")
    paths = [start(tmp_path / c, *asked, f"control={c}", store=tmp_path / "store") for c in ("none", "hard")]
    losses = [[point[4] for point in points(path) if point[0] == "generation_0"] for path in paths]
    assert losses[0] == losses[1]


def test_a_student_that_is_its_own_teacher_is_asked_as_it_trains(monkeypatch, tmp_path):
    """What a control asks for beforehand is what the same pass would have said."""
    forward, compared = Consistency.forward, []

    def watched(self, piece):
        own = self.targets(piece)["unlabelled"]
        output = forward(self, piece)
        compared.append(torch.equal(own, output.targets))
        return output

    monkeypatch.setattr(Consistency, "forward", watched)
    start(tmp_path / "run", "method=consistency", "optim.max_steps=2")
    assert compared == [True, True]


TAKEN = {
    "consistency": "classmean",
    "cs_kd": "hard",
    "dino": "random",
    "layerwise": "shuffled",
    "mean_teacher": "constant",
    "ps_kd": "shuffled_in_class",
}


UNMOVED = ("ps_kd",)
"""Whose first step has the labels as targets: of samples of a class they are the same."""


@pytest.mark.parametrize("method", TAKEN)
def test_a_method_learns_what_the_surrogate_says(method, monkeypatch, tmp_path):
    """And nothing that it says needs a gradient."""
    seen = []

    def watched(objective, pieces, gather):
        pieces = controlled(objective, pieces, gather)
        seen.extend(each.targets for piece in pieces for each in (piece, *piece.beside.values()))
        return pieces

    monkeypatch.setattr("sdrun.loop.controlled", watched)
    asked = (f"method={method}", "optim.max_steps=1", "log_every=1")
    paths = [start(tmp_path / control, *asked, f"control={control}") for control in ("none", TAKEN[method])]
    targets = [tensor for tree in seen if tree is not None for tensor in leaves(tree)]
    assert targets
    assert not any(tensor.requires_grad for tensor in targets)
    losses = [[point[4] for point in points(path) if point[3] == "train/loss"] for path in paths]
    assert (losses[0] != losses[1]) == (method not in UNMOVED)


def test_the_pass_of_a_partner_counts_in_batchnorm_under_a_control_as_well(tmp_path):
    asked = ("method=cs_kd", "method.weight=0", "optim.max_steps=2")
    own, other = (weights(start(tmp_path / c, *asked, f"control={c}")) for c in ("none", "random"))
    statistics = [name for name in own if "running" in name and "/last/" in name]
    assert statistics
    for name in statistics:
        assert torch.equal(own[name], other[name])
