"""Exits on every backbone, and leaving early by one of them."""

import numpy as np
import pytest
import torch

from helpers import TWO_TEXTS, classifier, images, models_of, settings
from sdrun import models
from sdrun.judges.costs import milliseconds
from sdrun.methods.layerwise.costs import exit_costs
from sdrun.methods.layerwise.early_exit import EarlyExit, ExitPolicy, confidence
from sdrun.methods.layerwise.exits import ALWAYS, NEVER, Confidence
from sdrun.methods.layerwise.ladder import Ladder
from sdrun.methods.layerwise.policy import Leaving
from sdrun.tasks.text.texts import TEXTS

SMALL = {"cnn": ["model.widths=[8,12,16]"], "vit_tiny": ["model.width=24", "model.depth=3"], "resnet8": []}
PROBABILITY = Confidence.probability


def ladder(name="resnet8", channels=1, size=16, num_detached=0):
    torch.manual_seed(0)
    model = settings(f"model={name}", *SMALL.get(name, [])).model
    backbone = models.build(model, images(channels, size))
    assert model.taps == list(backbone.tap_features)
    return Ladder(backbone, model.taps[:-1], 10, num_detached)


@pytest.mark.parametrize("name", models_of("images"))
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
def test_exits_of_every_backbone(name, channels, size):
    check_exits(ladder(name, channels, size), torch.randn(2, channels, size, size))


@pytest.mark.parametrize("name", models_of("texts"))
def test_exits_of_every_backbone_of_texts(name):
    torch.manual_seed(0)
    backbone = models.build(settings(f"model={name}").model, TEXTS)
    check_exits(Ladder(backbone, list(backbone.tap_features)[:-1], 10), TWO_TEXTS)


def check_exits(network, x):
    num = len(network.rungs) + 1
    features, logits = network.exits(x)
    assert features.shape == (2, num, network.backbone.num_features)
    assert logits.shape == (2, num, 10)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_words_and_ensemble():
    network, x = ladder().eval(), torch.randn(3, 1, 16, 16)
    found = network(x)
    assert list(found) == ["", "exit_1", "exit_2", "ensemble"]
    torch.testing.assert_close(found[""], network.deepest(x))
    mean = torch.stack([found[word].softmax(1) for word in ("exit_1", "exit_2", "")]).mean(0)
    torch.testing.assert_close(found["ensemble"].softmax(1), mean)


def test_it_starts_as_a_plain_classifier_does():
    torch.manual_seed(0)
    plain = classifier(models.build(settings("model=resnet8").model, images(1, 16)), 10)
    state = ladder().state_dict()
    assert all(torch.equal(value, state[name]) for name, value in plain.state_dict().items())


@pytest.mark.parametrize(("num_detached", "reached"), [(0, [True, True]), (1, [False, True]), (2, [False, False])])
def test_detached_exits_leave_the_backbone_alone(num_detached, reached):
    network = ladder(num_detached=num_detached)
    logits = network.exits(torch.randn(2, 1, 16, 16)).logits
    for place, expected in enumerate(reached):
        stem = network.backbone.stem[0].weight
        (gradient,) = torch.autograd.grad(logits[:, place].sum(), [stem], retain_graph=True)
        assert bool(gradient.any()) == expected


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("kind", list(Confidence))
def test_a_batch_leaves_in_parts_as_the_logits_of_all_exits_say(name, kind):
    network, x = ladder(name).eval(), torch.randn(64, 1, 16, 16)
    with torch.no_grad():
        logits = network.exits(x).logits
    temperatures = [0.5, 1.0, 2.0]
    samples = Leaving.of(logits.numpy(), np.zeros(64, dtype=int), temperatures, kind)
    thresholds = [float(np.quantile(samples.confidences[:, i], 0.6)) + 1e-6 for i in range(2)]
    expected = samples.exits(thresholds)
    assert set(expected) == {0, 1, 2}
    with torch.no_grad():
        taken, left = EarlyExit(network, ExitPolicy(kind, thresholds, temperatures))(x)
    assert left.tolist() == expected.tolist()
    torch.testing.assert_close(taken, torch.tensor(samples.taken(expected)), rtol=1e-4, atol=1e-5)


def test_who_left_is_not_computed_further(monkeypatch):
    network, x = ladder().eval(), torch.randn(32, 1, 16, 16)
    seen = []
    advance = type(network.backbone).advance
    monkeypatch.setattr(
        type(network.backbone), "advance", lambda self, x, n: seen.append((n, len(x))) or advance(self, x, n)
    )
    with torch.no_grad():
        middle = float(confidence(network.exits(x).logits[:, 0], PROBABILITY).median())
        seen.clear()
        _, left = EarlyExit(network, ExitPolicy(PROBABILITY, [middle, 0.0], [1.0] * 3))(x)
    staying = int((left > 0).sum())
    assert 0 < staying < 32
    assert seen == [(0, 32), (1, staying)]


def test_confidence_by_hand():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    p = logits.softmax(1)
    torch.testing.assert_close(confidence(logits, PROBABILITY), p.max(1).values)
    torch.testing.assert_close(confidence(logits, Confidence.entropy), (p * p.log()).sum(1))
    for kind in Confidence:
        extreme = confidence(torch.tensor([[100.0, 0.0], [0.0, 0.0]]), kind)
        assert (extreme >= ALWAYS[kind]).all()
        assert (extreme < NEVER[kind]).all()


def test_costs_are_those_counted_by_hand():
    costs = exit_costs(ladder().eval(), torch.randn(1, 1, 16, 16))

    def conv(inputs, outputs, size, kernel=3):
        return inputs * outputs * kernel**2 * size**2

    stem, block_1 = conv(1, 16, 16), 2 * conv(16, 16, 16)
    exit_1 = conv(16, 32, 8) + conv(32, 64, 4) + 640
    block_2 = conv(16, 32, 8) + conv(32, 32, 8) + conv(16, 32, 8, 1)
    exit_2 = conv(32, 64, 4) + 640
    block_3 = conv(32, 64, 4) + conv(64, 64, 4) + conv(32, 64, 4, 1)
    full = stem + block_1 + block_2 + block_3 + 640
    assert costs.full == full
    first = stem + block_1 + exit_1
    assert costs.multiply_adds == [first, first + block_2 + exit_2, full + exit_1 + exit_2]
    network = ladder(num_detached=2)
    plain = classifier(network.backbone, 10)
    assert costs.parameters[-1] == sum(p.numel() for p in plain.parameters())
    stage = network.backbone
    parts = (stage.stem, stage.stages[0], network.rungs[0])
    assert costs.parameters[0] == sum(p.numel() for part in parts for p in part.parameters())
    assert exit_costs(network.eval(), torch.randn(1, 1, 16, 16)) == costs


def test_milliseconds_are_of_one_image(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("sdrun.judges.costs.time.perf_counter", lambda: clock[0])

    def takes(seconds):
        def network(x):
            clock[0] += seconds * len(x)
            return x

        return network

    found = milliseconds({"slow": takes(0.004), "fast": takes(0.001)}, torch.ones(8, 1), 4)
    assert found == pytest.approx({"slow": 4, "fast": 1})
