"""Answers of one of several classes, against torch's own functions and against sums written out."""

import doctest

import pytest
import torch
from torch.nn import functional as F

from sdrun.answers import categorical
from sdrun.answers.categorical import Categorical

random = torch.Generator().manual_seed(0)
ONE, OTHER, THIRD = torch.randn(3, 6, 4, generator=random, dtype=torch.float64)
LABEL = torch.tensor([0, 1, 2, 3, 0, 1])
SOFT = torch.randn(6, 4, generator=random, dtype=torch.float64).softmax(dim=1)
ANSWERS = Categorical(4)


def test_its_examples_are_true():
    results = doctest.testmod(categorical, extraglobs={"torch": torch})
    assert (results.attempted, results.failed) == (1, 0)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("label", [LABEL, SOFT], ids=["classes", "probabilities"])
def test_truth_is_cross_entropy(label, smoothing):
    chances = F.one_hot(LABEL, 4).double() if label is LABEL else SOFT
    chances = (1 - smoothing) * chances + smoothing / 4
    written_out = -(chances * ONE.log_softmax(dim=1)).sum() / 6
    truth = ANSWERS.truth(ONE, {"label": label}, smoothing)
    torch.testing.assert_close(truth, written_out)
    torch.testing.assert_close(truth, F.cross_entropy(ONE, label, label_smoothing=smoothing))


RIGHT = F.one_hot(LABEL, 4).bool()
RIGHT[:3, 3] = True


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_any_class_that_is_right_counts(smoothing):
    chance = (ONE.softmax(dim=1) * RIGHT).sum(dim=1)
    written_out = (1 - smoothing) * -chance.log() - smoothing * ONE.log_softmax(dim=1).mean(dim=1)
    torch.testing.assert_close(ANSWERS.truth(ONE, {"label": RIGHT}, smoothing), written_out.mean())
    one = F.one_hot(LABEL, 4).bool()
    same = F.cross_entropy(ONE, LABEL, label_smoothing=smoothing)
    torch.testing.assert_close(ANSWERS.truth(ONE, {"label": one}, smoothing), same)
    weighted = ANSWERS.balanced(torch.tensor([0, 0, 1, 2, 3]))
    by_item = torch.stack([weighted.weights[own].mean() for own in RIGHT])
    torch.testing.assert_close(weighted.truth(ONE, {"label": RIGHT}, smoothing), (by_item * written_out).mean())


def test_smoothing_is_none_if_it_is_not_said():
    assert ANSWERS.truth(ONE, {"label": LABEL}) == F.cross_entropy(ONE, LABEL)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_distance_is_the_scaled_kl_divergence_of_each_item(temperature):
    p, q = (OTHER / temperature).softmax(dim=1), (ONE / temperature).softmax(dim=1)
    divergence = torch.distributions.kl_divergence(*map(torch.distributions.Categorical, (p, q)))
    distance = ANSWERS.distance(ONE, OTHER, temperature)
    torch.testing.assert_close(distance, temperature**2 * divergence)
    torch.testing.assert_close(ANSWERS.distance(ONE, ONE, temperature), torch.zeros(6, dtype=torch.float64))


def test_the_teacher_gets_no_gradient():
    student, teacher = ONE.clone().requires_grad_(), OTHER.clone().requires_grad_()
    ANSWERS.distance(student, teacher, 2.0).sum().backward()
    assert student.grad is not None
    assert student.grad.any()
    assert teacher.grad is None


def test_two_agree_where_their_likeliest_classes_do():
    assert ANSWERS.agree(torch.eye(4)[LABEL], 5 * torch.eye(4)[[0, 2, 2, 3, 1, 1]]).tolist() == [1, 0, 1, 1, 0, 1]


def test_several_say_the_mean_of_their_probabilities():
    mean = (ONE.softmax(dim=1) + OTHER.softmax(dim=1) + THIRD.softmax(dim=1)) / 3
    together = ANSWERS.together([ONE, OTHER, THIRD])
    torch.testing.assert_close(together.softmax(dim=1), mean)
    torch.testing.assert_close(together.exp(), mean)
    assert ANSWERS.together([ONE]) is ONE


def test_its_head_gives_a_logit_a_class():
    assert ANSWERS.head(3)(torch.zeros(2, 3)).shape == (2, 4)


def test_weights_make_every_class_count_alike():
    labels = torch.tensor([0] * 6 + [1] * 2)
    answers = Categorical(2).balanced(labels)
    logits = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    each = F.cross_entropy(logits, labels, reduction="none")
    of_classes = torch.stack([each[labels == number].mean() for number in (0, 1)])
    torch.testing.assert_close(answers.truth(logits, {"label": labels}), of_classes.mean())
    shares = F.one_hot(labels, 2).float()
    torch.testing.assert_close(answers.truth(logits, {"label": shares}), of_classes.mean())


def test_a_weighted_truth_is_the_mean_over_equal_parts():
    labels = torch.tensor([0, 0, 0, 1])
    answers = Categorical(3).balanced(labels)
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    parts = [answers.truth(z, {"label": y}) for z, y in zip(logits.split(2), labels.split(2), strict=True)]
    torch.testing.assert_close(torch.stack(parts).mean(), answers.truth(logits, {"label": labels}))
