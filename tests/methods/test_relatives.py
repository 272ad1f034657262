"""CS-KD and PS-KD: who teaches whom, and what the loss is."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import settings, shuffled, start, summary, weights
from sdrun.answers.categorical import Categorical
from sdrun.methods.cs_kd.objective import ClassWise
from sdrun.methods.cs_kd.pairs import ClassPairs
from sdrun.methods.ps_kd.objective import Progressive
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch
from sdrun.tasks.images.views.view import Normalise, View

CLASSES = 3


def student():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, CLASSES))


def batch(step=0, index=(0, 1, 2, 3), num_views=1):
    generator = torch.Generator().manual_seed(step)
    views = [torch.randn(len(index), 1, 2, 2, generator=generator) for _ in range(num_views)]
    rows, known = slice(0, len(index)), {"label": torch.tensor([0, 1, 2, 0])}
    return Batch(step, torch.tensor(index), {"weak": views}, known, Draws((0,), rows, len(index)))


# CS-KD --------------------------------------------------------------------------------------------------------------


def pairs(labels, pool, batch_size, rank=0, world=1):
    num = len(labels)
    images = torch.arange(num, dtype=torch.uint8).view(num, 1, 1, 1).expand(num, 1, 8, 8).contiguous()
    view = View(settings().dataset.views["weak"], Normalise([0.0], [1.0], torch.device("cpu"), False))
    seen, labels = {"weak": (view, 1)}, torch.tensor(labels)
    return ClassPairs(shuffled(images, labels, seen, torch.tensor(pool), batch_size, (0,), rank, world), labels)


def shown(images):
    return (images * 255).amax(dim=(1, 2, 3)).round().long()


def test_a_partner_is_another_labelled_image_of_the_class():
    labels = [0, 1, 2, 1, 0, 0, 1, 2, 0, 1] * 3
    pool = list(range(3, 30))
    stream = pairs(labels, pool, 9)
    met = {}
    for step in range(200):
        b = stream(step)
        own, partner = (shown(view) for view in b.views["weak"])
        assert torch.equal(own, b.index)
        assert torch.equal(partner, stream.partner(step, b.index))
        assert torch.equal(stream.labels[partner], b.known["label"])
        assert (partner != own).all()
        assert set(partner.tolist()) <= set(pool)
        for one, other in zip(own.tolist(), partner.tolist(), strict=True):
            met.setdefault(one, set()).add(other)
    for one, others in met.items():
        assert others == {p for p in pool if labels[p] == labels[one] and p != one}


def test_an_image_alone_in_its_class_is_its_own_partner():
    b = pairs([0, 1, 1, 1], [0, 1, 2, 3], 4)(0)
    alone = (b.index == 0).nonzero()[0, 0]
    assert shown(b.views["weak"][1])[alone] == 0


def test_pairs_are_pure_and_the_ranks_parts_are_one_ranks_whole():
    labels, pool = [0, 1] * 8, list(range(16))
    whole = pairs(labels, pool, 8)(5)
    again = pairs(labels, pool, 8)(5)
    parts = [pairs(labels, pool, 8, rank, 2)(5) for rank in (0, 1)]
    for place in (0, 1):
        assert torch.equal(whole.views["weak"][place], again.views["weak"][place])
        assert torch.equal(torch.cat([part.views["weak"][place] for part in parts]), whole.views["weak"][place])


def test_class_wise_distillation_is_kl_from_the_partner_without_gradient():
    method = settings("method=cs_kd", "method.weight=2", "method.temperature=3").method
    o = ClassWise(student(), Categorical(CLASSES), method)
    b = batch(num_views=2)
    output = o(b)
    own, partner = (o.student(view) for view in b.views["weak"])
    p = (partner / 3).softmax(1).detach()
    expected = 2 * 9 * F.kl_div((own / 3).log_softmax(1), p, reduction="batchmean")
    torch.testing.assert_close(output.terms["distillation"], expected)
    torch.testing.assert_close(output.terms["ce"], F.cross_entropy(own, b.known["label"]))
    found = torch.autograd.grad(output.terms["distillation"], o.student[1].weight)[0]
    torch.testing.assert_close(found, torch.autograd.grad(expected, o.student[1].weight)[0])


# PS-KD --------------------------------------------------------------------------------------------------------------


def progressive(num_steps=10):
    labels = torch.tensor([0, 1, 2, 0, -1])
    method = settings("method=ps_kd", "method.alpha=0.8").method
    return Progressive(student(), Categorical(CLASSES), method, labels, CLASSES, num_steps, lambda rows: rows)


def test_the_target_mixes_the_label_with_the_last_prediction_and_its_weight_grows():
    o = progressive()
    for step in range(3):
        b = batch(step)
        before = o.memory.clone()
        output = o(b)
        z = o.student(b.views["weak"][0])
        alpha = 0.8 * step / 10
        mixed = (1 - alpha) * F.one_hot(b.known["label"], CLASSES).float() + alpha * before[:4]
        torch.testing.assert_close(output.loss, -(mixed * z.log_softmax(1)).sum(1).mean())
        o.after_step(step + 1)
        torch.testing.assert_close(o.memory[:4], z.softmax(1).detach())
        with torch.no_grad():
            o.student[1].weight.add_(0.1)


def test_before_an_image_was_seen_its_target_is_its_label():
    assert progressive().memory[:4].argmax(1).tolist() == [0, 1, 2, 0]


def test_of_an_image_that_comes_twice_the_mean_is_kept():
    o, b = progressive(), batch(index=(3, 0, 2, 3))
    o(b)
    o.after_step(1)
    p = o.student(b.views["weak"][0]).softmax(1).detach()
    torch.testing.assert_close(o.memory[3], (p[0] + p[3]) / 2)
    torch.testing.assert_close(o.memory[0], p[1])
    assert o.memory[1].tolist() == [0, 1, 0]


def test_all_parts_of_a_step_are_kept(tmp_path):
    path = start(tmp_path / "run", "method=ps_kd", "optim.accumulate=2", "optim.epochs=1")
    memory = weights(path)["ps_kd/last/memory"]
    torch.testing.assert_close(memory.sum(1), torch.ones(len(memory)))
    assert (memory.amax(1) < 1).sum() == 120  # every image was seen in one epoch


@pytest.mark.parametrize("name", ["cs_kd", "ps_kd"])
def test_they_learn_and_their_teacher_has_a_share(name, tmp_path):
    path = start(
        tmp_path / "run", f"method={name}", "optim.epochs=20", "dataset.train_size=600", "model.widths=[16,16]"
    )
    assert summary(path)["metrics"]["test/accuracy"] > 0.5
    assert "train/gradient_share_distillation" in (path / "metrics.jsonl").read_text()
