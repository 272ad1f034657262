"""Augmentation consistency: each choice's loss, who counts, what is told, and who sees the hidden labels."""

import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from helpers import differences, images, interrupted, points, settings, start, summary, weights
from sdrun import run
from sdrun.answers.categorical import Categorical
from sdrun.errors import InputError
from sdrun.methods.consistency import masks
from sdrun.methods.consistency.objective import Consistency
from sdrun.methods.consistency.settings import Masking
from sdrun.methods.consistency.watch import PATIENCE, MaskWatch
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch

CLASSES, IMAGES = 3, 50
FEW = ("dataset.num_labels=40", "optim.batch_size=20", "method.unlabelled_ratio=2")
CHOICES = ("consistency", "uda", "fixmatch", "flexmatch", "freematch", "softmatch")


def same(values):
    return values


def objective(*overrides, num_steps=10):
    torch.manual_seed(0)
    method = settings(*overrides).method
    student = nn.Sequential(nn.Flatten(), nn.Linear(4, CLASSES))
    with torch.no_grad():
        student[1].weight.mul_(8)  # some predictions are confident
    mask = masks.build(method, IMAGES, CLASSES, same, same)
    return Consistency(student, Categorical(CLASSES), mask, method, CLASSES, num_steps, same)


def batch(step=0, num=4, ratio=5):
    generator = torch.Generator().manual_seed(step)

    def part(num, known):
        views = {role: [torch.randn(num, 1, 2, 2, generator=generator)] for role in ("clean", "weak", "strong")}
        return Batch(step, torch.arange(num), views, known, Draws((0,), slice(0, num), num))

    labelled = part(num, {"label": torch.tensor([0, 1, 2, 0])})
    return replace(labelled, beside={"unlabelled": part(num * ratio, {})})


def logits_of(o, b):
    """Of labelled images, of what the teacher sees, and of what the student sees: lists of lists."""
    views, role = b.beside["unlabelled"].views, o.settings.teacher_view
    shown = b.views[o.settings.view][0], views[role][0], views["strong"][0]
    return [o.student(x).detach().double().numpy() for x in shown]


def softmax(z, temperature=1.0):
    p = np.exp((z - z.max()) / temperature)
    return p / p.sum()


def ce(p, z):
    return -sum(pk * math.log(qk) for pk, qk in zip(p, softmax(z), strict=True) if pk > 0)


def onehot(c):
    return np.eye(CLASSES)[c]


def mean_of_samples(o, b, counted):
    """``counted(p, z_t, z_s)`` is one sample's part of the sum; the mean is over all unlabelled ones."""
    _, teacher, student = logits_of(o, b)
    return sum(counted(softmax(t), t, s) for t, s in zip(teacher, student, strict=True)) / len(teacher)


def terms(o, b):
    return {name: term.item() for name, term in o(b).terms.items()}


def test_plain_is_kl_at_temperature_4_from_the_clean_to_the_strong_view():
    o, b = objective("method=consistency"), batch()

    def kl(_, t, s):
        p, q = softmax(t, 4), softmax(s, 4)
        return 16 * (p * np.log(p / q)).sum()

    found = terms(o, b)
    assert found["consistency"] == pytest.approx(mean_of_samples(o, b, kl), rel=1e-5)
    labelled = logits_of(o, b)[0]
    assert o.settings.view == "strong"
    expected = np.mean([ce(onehot(y), z) for y, z in zip(b.known["label"].tolist(), labelled, strict=True)])
    assert found["ce"] == pytest.approx(expected, rel=1e-5)


def test_uda_sharpens_the_targets_of_confident_images():
    o, b = objective("method=uda", "method.threshold=0.6"), batch()

    def counted(p, t, s):
        sharp = softmax(t, 0.4)
        return (p.max() >= 0.6) * (sharp * np.log(sharp / softmax(s))).sum()

    assert terms(o, b)["consistency"] == pytest.approx(mean_of_samples(o, b, counted), rel=1e-5)
    assert settings("method=uda").method.threshold == 0.8


@pytest.mark.parametrize("threshold", [0.95, 0.6])
def test_fixmatch_has_pseudo_labels_above_a_threshold_and_zeros_below(threshold):
    o, b = objective("method=fixmatch", f"method.threshold={threshold}"), batch()
    above = []

    def counted(p, _, s):
        above.append(p.max() >= threshold)
        return above[-1] * ce(onehot(p.argmax()), s)

    output = o(b)
    expected = mean_of_samples(o, b, counted)
    assert 0 < sum(above) < len(above)
    assert output.terms["consistency"].item() == pytest.approx(expected, rel=1e-5)
    assert float(output.metrics["mask"]) == pytest.approx(np.mean(above))
    assert settings("method=fixmatch").method.threshold == 0.95


def test_flexmatch_lowers_the_threshold_of_a_class_that_is_learned_less():
    o, b = objective("method=flexmatch"), batch()
    o.mask.latest[:30], o.mask.latest[30:40] = 0, 1
    counts = [30, 10, 0]
    thresholds = [0.95 * (c / 30) / (2 - c / 30) for c in counts]
    torch.testing.assert_close(o.mask.thresholds(torch.zeros(1, CLASSES)), torch.tensor(thresholds))

    def counted(p, _, s):
        return (p.max() >= thresholds[p.argmax()]) * ce(onehot(p.argmax()), s)

    assert terms(o, b)["consistency"] == pytest.approx(mean_of_samples(o, b, counted), rel=1e-5)


def test_flexmatch_waits_while_most_images_were_never_confident():
    mask = masks.Curriculum(0.9, 50, lambda x: x)
    mask.latest[:5] = 2
    share = 5 / 45
    expected = torch.tensor([0, 0, 0.9 * share / (2 - share)])
    torch.testing.assert_close(mask.thresholds(torch.zeros(1, 3)), expected)


def test_flexmatch_keeps_the_last_confident_prediction_of_each_image_whatever_the_order():
    mask = masks.Curriculum(0.9, 6, lambda x: x)
    mask.see(torch.tensor([[0.95, 0.05, 0], [0.5, 0.5, 0], [0, 0.05, 0.95]]), torch.tensor([0, 1, 2]))
    mask.see(torch.tensor([[0.95, 0.05, 0], [0, 0.95, 0.05]]), torch.tensor([3, 3]))
    mask.follow()
    assert mask.latest.tolist() == [0, -1, 2, 1, -1, -1]
    mask.see(torch.tensor([[0, 0.95, 0.05], [0.4, 0.6, 0]]), torch.tensor([0, 2]))
    mask.follow()
    assert mask.latest.tolist() == [1, -1, 2, 1, -1, -1]


def freematch():
    o = objective("method=freematch", "method.fairness=0.5")
    o.mask.mean_confidence.fill_(0.7)
    o.mask.classes.copy_(torch.tensor([0.5, 0.3, 0.2]))
    o.mask.histogram.copy_(torch.tensor([0.6, 0.3, 0.1]))
    return o


def test_freematch_has_thresholds_of_classes_and_a_fairness_term():
    o, b = freematch(), batch()
    thresholds = 0.7 * np.array([0.5, 0.3, 0.2]) / 0.5

    def counts(p):
        return p.max() >= thresholds[p.argmax()]

    found = terms(o, b)
    expected = mean_of_samples(o, b, lambda p, _, s: counts(p) * ce(onehot(p.argmax()), s))
    assert found["consistency"] == pytest.approx(expected, rel=1e-5)
    _, teacher, student = logits_of(o, b)
    chosen = np.array([softmax(s) for t, s in zip(teacher, student, strict=True) if counts(softmax(t))])
    assert 0 < len(chosen) < len(teacher)
    share = np.bincount(chosen.argmax(axis=1), minlength=CLASSES) / len(chosen)
    a = np.array([0.5, 0.3, 0.2]) / [0.6, 0.3, 0.1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(share > 0, chosen.mean(axis=0) / share, 0)
    a, mean = a / a.sum(), mean / mean.sum()
    fair = sum(a[c] * math.log(mean[c]) for c in range(CLASSES) if share[c] > 0)
    assert found["fairness"] == pytest.approx(0.5 * fair, rel=1e-5)


def test_fairness_is_0_where_nothing_counts():
    o = freematch()
    o.mask.mean_confidence.fill_(4.0)
    output = o(batch())
    assert float(output.metrics["mask"]) == 0
    assert output.terms["fairness"].item() == 0
    output.loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in o.student.parameters())


def test_softmatch_weighs_by_the_distance_below_the_mean_of_aligned_confidence():
    o, b = objective("method=softmatch"), batch()
    o.mask.mean_confidence.fill_(0.8)
    o.mask.variance.fill_(0.04)
    o.mask.classes.copy_(torch.tensor([0.5, 0.3, 0.2]))

    def counted(p, _, s):
        aligned = p * (1 / 3) / np.array([0.5, 0.3, 0.2])
        below = min((aligned / aligned.sum()).max() - 0.8, 0)
        return math.exp(-(below**2) / (2 * 0.04 / 4)) * ce(onehot(p.argmax()), s)

    assert terms(o, b)["consistency"] == pytest.approx(mean_of_samples(o, b, counted), rel=1e-5)


@pytest.mark.parametrize("name", ["freematch", "softmatch"])
def test_running_means_start_even_and_follow_every_part_of_a_step(name):
    o = objective(f"method={name}", "method.threshold_momentum=0.9")
    mask = o.mask
    assert float(mask.mean_confidence) == pytest.approx(1 / 3)
    parts = [torch.randn(6, CLASSES, generator=torch.Generator().manual_seed(i)).softmax(1) for i in range(2)]
    for part in parts:
        mask.see(part, torch.arange(6))
    mask.follow()
    p = torch.cat(parts)
    top = p.amax(1)  # of softmatch too: the classes are even yet, so nothing is aligned
    histogram = torch.bincount(p.argmax(1), minlength=CLASSES) / 12
    assert float(mask.mean_confidence) == pytest.approx(float(0.9 / 3 + 0.1 * top.mean()))
    assert float(mask.variance) == pytest.approx(float(0.9 + 0.1 * top.var(unbiased=False)), rel=1e-5)
    torch.testing.assert_close(mask.classes, 0.9 / 3 + 0.1 * p.mean(0))
    torch.testing.assert_close(mask.histogram, 0.9 / 3 + 0.1 * histogram)


def test_mse_and_soft_cross_entropy_are_of_probabilities():
    for divergence in ("mse", "ce"):
        asked = (f"method.divergence={divergence}", "method.temperature=1", "method.sharpening=0.5")
        o, b = objective("method=consistency", *asked), batch()

        def counted(_, t, s, divergence=divergence):
            p = softmax(t, 0.5)
            return ((p - softmax(s)) ** 2).mean() if divergence == "mse" else ce(p, s)

        assert terms(o, b)["consistency"] == pytest.approx(mean_of_samples(o, b, counted), rel=1e-5)


def test_the_weight_multiplies_and_rises():
    plain, rising = objective("method=uda"), objective("method=uda", "method.weight=2", "method.ramp_up=0.5")
    factors = [
        terms(rising, batch(step))["consistency"] / terms(plain, batch(step))["consistency"] for step in (0, 2, 9)
    ]
    assert factors == pytest.approx([2 * math.exp(-5), 2 * math.exp(-5 * 0.6**2), 2], rel=1e-5)


def test_the_average_may_be_the_teacher_and_is_then_seen_in_eval_mode():
    o, b = objective("method=fixmatch", "method.teacher=ema", "method.threshold=0.5"), batch()
    with torch.no_grad():
        o.average.network[1].weight.neg_()
    teacher = o.average.network(b.beside["unlabelled"].views["weak"][0]).double().numpy()
    student = o.student(b.beside["unlabelled"].views["strong"][0]).detach().double().numpy()
    expected = np.mean(
        [(softmax(t).max() >= 0.5) * ce(onehot(t.argmax()), s) for t, s in zip(teacher, student, strict=True)]
    )
    output = o(b)
    assert output.terms["consistency"].item() == pytest.approx(expected, rel=1e-5)
    assert len(output.answer) == 4 + 20
    assert (o.teaching, objective("method=fixmatch").teaching) == ("", "student")


def test_the_average_follows_each_step():
    o = objective("method=fixmatch", "method.momentum=0.9", "method.momentum_schedule=constant")
    before = o.average.network[1].weight.clone()
    with torch.no_grad():
        o.student[1].weight.add_(1.0)
    o.after_step(1)
    torch.testing.assert_close(o.average.network[1].weight, before + 0.1)


@pytest.mark.parametrize("asked", [[f"method={name}"] for name in CHOICES] + [["method=uda", "method.divergence=ce"]])
def test_the_student_learns_on_its_own_view_alone(asked):
    output = objective(*asked)(batch())
    for name in output.terms.keys() - {"ce"}:
        gradient = torch.autograd.grad(output.terms[name], output.answer, retain_graph=True)[0]
        assert gradient[-20:].any()
        assert not gradient[:-20].any()


@pytest.mark.parametrize("name", ["flexmatch", "freematch", "softmatch"])
def test_a_mask_learns_from_the_unlabelled_images_of_each_step(name):
    o, b = objective(f"method={name}"), batch()
    index = torch.arange(20, 40)
    b = replace(b, beside={"unlabelled": replace(b.beside["unlabelled"], index=index)})
    before = {key: value.clone() for key, value in o.mask.state_dict().items()}
    o(b)
    assert all(torch.equal(value, before[key]) for key, value in o.mask.state_dict().items())
    o.after_step(1)
    if name == "flexmatch":
        p = o.student(b.beside["unlabelled"].views["weak"][0]).softmax(1)
        expected = torch.where(p.amax(1) >= 0.95, p.argmax(1), -1)
        assert (expected >= 0).any()
        assert torch.equal(o.mask.latest[index], expected)
        assert (o.mask.latest[:20] == -1).all()
    else:
        assert all(not torch.equal(value, before[key]) for key, value in o.mask.state_dict().items())


# Settings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["method=fixmatch", "method.sharpening=0.5"], "method.sharpening: has no effect on hard targets"),
        (["method=fixmatch", "method.temperature=2"], "method.temperature: has an effect with method.divergence=kl"),
        (["method=fixmatch", "method.divergence=kl"], "method.divergence: kl needs method.targets=soft"),
        (
            ["method=freematch", "method.threshold=0.9"],
            "method.threshold: has no effect with method.mask=self_adaptive",
        ),
        (["method=fixmatch", "method.fairness=0.1"], "method.fairness: needs method.mask=self_adaptive"),
        (["method=fixmatch", "method.threshold_momentum=0.5"], "method.threshold_momentum: has no effect with method."),
        (["method=fixmatch", "method.threshold=1.5"], "method.threshold: must be between 0 and 1, but is 1.5"),
        (["method=fixmatch", "method.threshold=high"], "method.threshold: Value 'high' of type 'str' could not be"),
        (["method=fixmatch", "method.unlabelled_ratio=0"], "method.unlabelled_ratio: must be at least 1"),
        (["method=consistency", "method.temperature=0"], "method.temperature: must be above 0"),
        (
            ["method=fixmatch", "method.teacher_view=weakly"],
            "method.teacher_view: is 'weakly', but the views are clean",
        ),
        (["method=consistency", "dataset.views.strong.magnitude=0.5", "dataset.views.strong.randaugment=0"], "has no"),
    ],
)
def test_what_would_be_ignored_or_is_wrong_is_named(overrides, text):
    with pytest.raises(InputError, match=text):
        settings(*overrides)


@pytest.mark.parametrize("key", ["view", "teacher_view", "student_view"])
def test_views_of_several_sizes_are_refused(key):
    asked = settings("method=fixmatch", "dataset=fashion_mnist", f"method.{key}=local")
    with pytest.raises(InputError, match=r"dataset.views: of this method need one size, but are 1x16x16 and 1x28x28"):
        asked.check_data(images(1, 28), 60000, 1)


@pytest.mark.parametrize(
    ("choice", "steps"),
    [
        ("consistency", ["method.targets=hard", "method.divergence=ce", "method.temperature=1"]),
        ("uda", ["method.targets=hard", "method.divergence=ce", "method.sharpening=1"]),
        (
            "freematch",
            ["method.mask=fixed", "method.threshold=0.95", "method.threshold_momentum=null", "method.fairness=0"],
        ),
        ("flexmatch", ["method.mask=none", "method.threshold=null"]),
    ],
)
def test_each_error_names_the_key_to_set_until_the_values_go_together(choice, steps):
    for number in range(1, len(steps)):
        with pytest.raises(InputError, match=f"{steps[number].split('=')[0]}: .*(set|is needed)"):
            settings(f"method={choice}", *steps[:number])
    settings(f"method={choice}", *steps)


def test_soft_targets_need_nothing_else():
    assert settings("method=fixmatch", "method.targets=soft").method.targets.value == "soft"


# Runs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHOICES[1:])
def test_every_choice_resumes_bitwise(name, tmp_path, monkeypatch):
    momentum = ["method.threshold_momentum=0.5"] if name in ("freematch", "softmatch") else []
    asked = (f"method={name}", *FEW, "checkpoint_seconds=0", *momentum, "optim.epochs=3")
    whole = start(tmp_path / "whole", *asked)
    path = interrupted(tmp_path / "part", "consistency", 7, monkeypatch, *asked)
    run.resume(path)
    assert differences(whole, path) == []


def test_hidden_labels_are_looked_at_by_the_evaluation_alone(tmp_path, monkeypatch):
    seen = []
    forward = Consistency.forward
    monkeypatch.setattr(Consistency, "forward", lambda self, b: seen.append(b) or forward(self, b))
    path = start(tmp_path / "run", "method=consistency", *FEW)
    assert all(b.beside["unlabelled"].known == {} for b in seen)
    assert len(torch.cat([b.index for b in seen]).unique()) == 40
    metrics = summary(path)["metrics"]
    assert {"unlabelled/accuracy", "unlabelled/mask", "unlabelled/pseudo_label_accuracy"} <= metrics.keys()
    assert metrics["unlabelled/mask/3"] == 1.0  # plain counts them all
    assert {"test/student/accuracy", "test/best/accuracy"} <= metrics.keys()
    logged = {name for _, _, _, name, _ in points(path)}
    assert {"train/mask", "train/threshold", "train/largest_class", "train/gradient_share_consistency"} <= logged


def test_pseudo_labels_are_judged_as_a_loop_judges_them(tmp_path):
    from sdrun import tasks
    from sdrun.data.splits import split
    from sdrun.hardware import Hardware
    from sdrun.judges.parts import Parts
    from sdrun.methods.consistency.pseudo_labels import PseudoLabels

    asked = settings("dataset.num_labels=40", "dataset.train_size=120", "hardware.precision=fp32", "hardware.threads=1")
    splits = split(tasks.load(asked.dataset), asked.dataset)
    hardware = Hardware.start(asked.hardware)
    data = Parts(tasks.build(asked.dataset, splits, hardware), hardware)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    judged = PseudoLabels(data, "student", lambda p: (p.amax(dim=1) >= 0.2).float())
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    found = judged.validate({"": other, "student": network})
    hidden = [i for i in range(120) if i not in set(splits.labelled)]
    rows = []
    for i in hidden:
        p = network(data._seen(data.task.parts["train"], torch.tensor([i]))).softmax(1)[0]
        rows.append((p.max().item() >= 0.2, int(p.argmax()) == splits.true_labels[i], splits.true_labels[i]))
    counts = [row for row in rows if row[0]]
    assert 0 < len(counts) < len(rows)
    assert found["unlabelled/mask"] == pytest.approx(len(counts) / len(rows))
    assert found["unlabelled/accuracy"] == pytest.approx(np.mean([row[1] for row in rows]))
    assert found["unlabelled/pseudo_label_accuracy"] == pytest.approx(np.mean([row[1] for row in counts]))
    of_2 = [row for row in rows if row[2] == 2]
    assert found["unlabelled/mask/2"] == pytest.approx(np.mean([row[0] for row in of_2]))
    figure = judged.full({"": other, "student": network}).pictures["unlabelled/pseudo_labels"]()
    shares = [bar.get_width() for bar in figure.axes[0].patches[:10]]
    assert shares == [found[f"unlabelled/mask/{number}"] for number in range(10)]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"train/mask": 0.0, "train/largest_class": 0.0}, "no unlabelled item counts; lower method.threshold"),
        ({"train/mask": 1.0, "train/largest_class": 0.2}, "every unlabelled item counts; raise method.threshold"),
        ({"train/mask": 0.5, "train/largest_class": 0.8}, "one class has most of the pseudo-labels"),
    ],
)
def test_a_mask_that_has_gone_wrong_for_long_is_told_once(values, text, caplog):
    watch = MaskWatch(10, Masking.fixed)
    with caplog.at_level(logging.WARNING):
        for step in range(PATIENCE - 1):
            watch(step, values)
        assert not caplog.messages
        for step in range(10):
            watch(PATIENCE + step, values)
        watch(99, {"val/accuracy": 0.1})
    assert len(caplog.messages) == 1
    assert text in caplog.messages[0]


def test_a_remedy_is_a_setting_that_has_an_effect(caplog):
    watch = MaskWatch(2, Masking.self_adaptive)
    for step in range(PATIENCE):
        watch(step, {"train/mask": 1.0, "train/largest_class": 0.95})
    assert [message.split("; ")[1] for message in caplog.messages] == [
        "choose method.mask=fixed",
        "lower method.weight, or give more labels",
    ]


def test_the_largest_of_few_says_nothing(caplog):
    watch = MaskWatch(10, Masking.fixed)
    for step in range(PATIENCE):
        watch(step, {"train/mask": 0.02, "train/largest_class": 0.6})
    assert not caplog.messages


def test_soft_weights_stay_between_0_and_1_when_all_predictions_are_alike():
    mask = masks.Soft(0.0, CLASSES, same)
    certain = torch.tensor([[1.0, 0.0, 0.0]]).expand(7, -1)
    for _ in range(3):
        mask.see(certain, torch.arange(7))
        mask.follow()
    mask.classes.fill_(1 / CLASSES)
    weight = mask(torch.cat([certain, torch.tensor([[0.5, 0.3, 0.2]])]))
    assert weight.tolist() == [1.0] * 7 + [0.0]


def test_no_mask_is_no_sign_and_a_good_point_ends_it(caplog):
    unmasked, watch = MaskWatch(10, Masking.none), MaskWatch(10, Masking.soft)
    full, good = {"train/mask": 1.0, "train/largest_class": 0.2}, {"train/mask": 0.9, "train/largest_class": 0.2}
    for step in range(3 * PATIENCE):
        unmasked(step, full)
        watch(step, good if step % PATIENCE == 0 else full)
    assert not caplog.messages


def test_another_run_starts_from_the_average(tmp_path):
    path = start(tmp_path / "first", "method=consistency", *FEW)
    state = weights(path)
    start(tmp_path / "second", "method=supervised", f"init_from={path}", "optim.max_steps=1", "optim.lr=1e-12")
    begun = weights(tmp_path / "second")
    name = next(key for key in state if "/average.network.backbone." in key and "weight" in key)
    own = name.split("average.network.")[1]
    torch.testing.assert_close(
        begun[f"supervised/last/student.{own}"], state[f"consistency/last/average.network.{own}"]
    )
