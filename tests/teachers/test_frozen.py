"""A frozen teacher stays frozen."""

import pickle
from contextlib import nullcontext
from copy import deepcopy

import pytest
import torch
from torch import nn

from sdrun.answers.categorical import Categorical, mean_probability
from sdrun.teachers.frozen import Frozen


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3))


def test_it_is_in_eval_mode_and_refuses_training_and_gradients():
    student = network().train()
    teacher = Frozen([student], Categorical(3), nullcontext)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    logits = teacher.answer(torch.randn(5, 1, 2, 2))
    assert not logits.requires_grad
    assert not any(parameter.requires_grad for parameter in student.parameters())
    assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())
    assert not student.training


@pytest.mark.parametrize("copied", [lambda module: module, deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_to_train_it_is_refused_also_by_copies_and_pickles(copied):
    still = copied(Frozen([network()], Categorical(3), nullcontext).network)
    with pytest.raises(RuntimeError, match="stays in eval mode"):
        still.train()
    assert not nn.Sequential(still).eval()[0].network.training


def test_a_parent_cannot_switch_it_to_training():
    teacher = Frozen([network()], Categorical(3), nullcontext)
    with pytest.raises(RuntimeError, match="stays in eval mode"):
        nn.ModuleList([teacher.network]).train()


def test_an_ensemble_gives_the_mean_of_probabilities():
    members, x = [network(seed).eval() for seed in range(3)], torch.randn(5, 1, 2, 2)
    logits = Frozen(members, Categorical(3), nullcontext).answer(x)
    expected = torch.stack([member(x).softmax(1) for member in members]).mean(0)
    torch.testing.assert_close(logits.softmax(1), expected)
    torch.testing.assert_close(logits.exp().sum(1), torch.ones(5))


def test_a_single_network_gives_its_own_logits():
    logits = torch.randn(4, 3)
    assert mean_probability([logits]) is logits
