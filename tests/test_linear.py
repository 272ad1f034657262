"""Self-distillation of a linear head, which is known without training."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch

import sdrun
from helpers import settings, splits_of, start
from sdrun import tasks
from sdrun.errors import InputError
from sdrun.linear.features import Frozen
from sdrun.linear.search import ALPHAS, KINDS, ONE, PENALTIES, SHUFFLED, Items, penalties, search
from sdrun.linear.spectrum import Spectrum, best_alpha, distilled, student
from sdrun.tools import linear


def problem(num=200, num_features=12, noise=0.4, seed=0):
    random = np.random.default_rng(seed)
    features = random.normal(size=(num, num_features)) * np.geomspace(3, 0.1, num_features)
    truth = (features @ random.normal(size=(num_features, 3))).argmax(axis=1)
    wrong = random.random(num) < noise
    return Items(features, np.where(wrong, (truth + random.integers(1, 3, num)) % 3, truth), truth)


def ridge(x, y, penalty):
    """Weights by the normal equations, with an intercept that is not punished."""
    return np.linalg.solve(x.T @ x / len(x) + penalty * np.eye(x.shape[1]), x.T @ (y - y.mean(axis=0)) / len(x))


@pytest.mark.parametrize("alphas", [(), (0.5,), (1.5, -0.5)])
def test_filters_are_what_students_of_students_learn(alphas):
    items, penalty = problem(), 0.3
    y = np.eye(3)[items.labels]
    spectrum = Spectrum.of(items.features)
    x = (items.features - spectrum.mean) / spectrum.scale
    told, filtered = x @ ridge(x, y, penalty) + y.mean(axis=0), student(spectrum.variances, penalty)
    for alpha in alphas:
        mixed = (1 - alpha) * y + alpha * told
        told = x @ ridge(x, mixed, penalty) + mixed.mean(axis=0)
        filtered = distilled(student(spectrum.variances, penalty), filtered, alpha)
    along = spectrum.along(items.features)
    ours = along @ (filtered[:, None] * spectrum.fitted(along, y - y.mean(axis=0))) + y.mean(axis=0)
    assert ours == pytest.approx(told, abs=1e-9)


def risk(learned, heights, noise):
    return ((1 - learned) ** 2 * heights + learned**2 * noise).sum()


def test_the_best_mixture_is_the_lowest_point_and_at_the_best_penalty_there_is_none():
    random = np.random.default_rng(1)
    variances, heights, noise = np.geomspace(1, 1e-3, 30), random.uniform(0, 0.1, 30), 0.01
    for penalty in (1e-3, 1e-2, 1.0):
        own = student(variances, penalty)
        alphas = np.linspace(-20, 20, 40001)
        risks = [risk(distilled(own, own, alpha), heights, noise) for alpha in alphas]
        best = best_alpha(own, heights, noise)
        assert abs(best) > 20 or best == pytest.approx(alphas[np.argmin(risks)], abs=1e-3)
    fine = np.geomspace(1e-4, 10, 20001)
    tuned = fine[np.argmin([risk(student(variances, penalty), heights, noise) for penalty in fine])]
    assert best_alpha(student(variances, tuned), heights, noise) == pytest.approx(0, abs=1e-2)
    assert abs(best_alpha(student(variances, tuned / 10), heights, noise)) > 0.3


def cut(items, *places):
    return [Items(*(values[one:other] for values in vars(items).values())) for one, other in pairwise([0, *places])]


def test_a_search_finds_the_settings_that_validation_has_best():
    train, validation, test = cut(problem(num=1200), 300, 700, 1200)
    trial = search(train, validation, test, 3, seed=0)
    assert set(trial.best) == set(KINDS)
    grid, expected = penalties(PENALTIES), Expected(train, validation)
    errors = np.array([[expected.error(penalty, alpha) for alpha in ALPHAS] for penalty in grid])
    assert trial.errors == pytest.approx(errors, abs=1e-9)
    assert trial.theory[0] > 0 > trial.theory[-1]  # labels are learned too well, or too little
    chosen = trial.best[ONE]
    right = [[expected.right(penalty, alpha) for alpha in ALPHAS] for penalty in grid]
    assert expected.right(chosen.penalty, chosen.alphas[0]) == np.max(right)
    assert chosen.accuracy == Expected(train, test).right(chosen.penalty, chosen.alphas[0]) > 0.6
    least = np.unravel_index(errors.argmin(), errors.shape)
    assert chosen.error == pytest.approx(Expected(train, test).error(grid[least[0]], ALPHAS[least[1]]), abs=1e-9)


def test_a_shuffled_teacher_speaks_of_other_items():
    train, validation, test = cut(problem(num=1200), 300, 700, 1200)
    chosen = search(train, validation, test, 3, seed=5).best[SHUFFLED]
    order = np.random.default_rng(5).permutation(300)
    assert chosen.accuracy == Expected(train, test, order).right(chosen.penalty, chosen.alphas[0])


class Expected:
    """One step by the normal equations: a teacher, and a student of what it says of the items in this ``order``."""

    def __init__(self, train, asked, order=slice(None)):
        self.spectrum, self.order, self.asked, self.y = (
            Spectrum.of(train.features),
            order,
            asked,
            np.eye(3)[train.labels],
        )
        self.x, self.z = ((f - self.spectrum.mean) / self.spectrum.scale for f in (train.features, asked.features))
        counts = np.array([[((train.truth == a) & (train.labels == b)).sum() for b in range(3)] for a in range(3)])
        self.expected = (counts / counts.sum(axis=1, keepdims=True))[asked.truth]

    def answers(self, penalty, alpha):
        mean = self.y.mean(axis=0)
        teacher = self.x @ ridge(self.x, self.y, penalty) + mean
        return self.z @ ridge(self.x, (1 - alpha) * self.y + alpha * teacher[self.order], penalty) + mean

    def right(self, penalty, alpha):
        return (self.answers(penalty, alpha).argmax(axis=1) == self.asked.truth).mean()

    def error(self, penalty, alpha):
        return ((self.answers(penalty, alpha) - self.expected) ** 2).sum(axis=1).mean()


def test_the_command_tells_shows_and_keeps_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--seeds", "2", "--noise", "0.4", "-o", "there", "dataset.train_size=100", "hardware.threads=1"]
    linear.main(words)
    out = capsys.readouterr().out
    for line in ("Features     64: what images consist of", "40% of the labels wrong, 2 seeds", "two steps", "Picture"):
        assert line in out
    content = json.loads((tmp_path / "there/linear.json").read_text())
    assert [len(content["by_noise"]["0.4"][kind]) for kind in KINDS] == [2] * len(KINDS)
    assert (tmp_path / "there/linear.png").read_bytes().startswith(b"\x89PNG")


def test_items_are_those_of_a_run_of_that_seed():
    words = ("dataset=digits", "dataset.label_noise=0.3", "dataset.label_noise_kind=pair", "dataset.train_size=100")
    train, validation, _ = Frozen.of(settings(*words)).items(3, 0.3)
    own = splits_of(*words, "seed=3")
    assert np.array_equal(train.labels, own.train.labels)
    assert np.array_equal(train.truth, own.true_labels)
    assert np.array_equal(validation.truth, own.validation.labels)
    clean, _, _ = Frozen.of(settings(*words)).items(3, 0.0)
    assert np.array_equal(clean.labels, clean.truth)
    shown = own.train.numbers("image").reshape(100, -1).astype(float)
    assert abs(np.corrcoef(train.features.ravel(), shown.ravel())[0, 1]) > 0.9999


def test_features_of_a_run_are_those_of_its_backbone_on_its_split(tmp_path):
    start(tmp_path / "run", "optim.max_steps=2")
    words = (f"init_from={tmp_path}/run", "model.widths=[8,8]", "dataset.train_size=100", "dataset.seed=4")
    frozen = Frozen.of(settings(*words))
    (one, _, _), (other, _, _) = frozen.items(0, 0.5), frozen.items(1, 0.5)
    assert np.array_equal(one.features, other.features)
    assert not np.array_equal(one.labels, other.labels)
    assert np.array_equal(one.truth, splits_of("dataset.train_size=100", "dataset.seed=4").train.labels)
    model = sdrun.load(tmp_path / "run")
    images = tasks.load(settings().dataset).test.numbers("image")
    with torch.no_grad():
        features = model.network.backbone(model.clean(images)).final
    assert frozen.test == pytest.approx(features.numpy(), abs=1e-5)


REFUSED = {
    ("--seeds", "1"): "--seeds: must be at least 2, but is 1",
    ("--noise", "1.5"): "--noise: needs shares from 0 to below 1, as 0,0.4, but is 1.5",
    ("--noise", "some"): "--noise: needs shares",
    ("dataset.label_noise_matrix=[[1]]",): "dataset.label_noise_matrix: has no share to vary",
    ("dataset=sentences",): "init_from: is missing, and words as they are mean nothing in numbers",
    ("dataset.val_size=0",): "dataset.val_size: is 0, and what is best is chosen by validation; hold some out",
    ("seed=3",): "seed: has no effect on a linear head; there are seeds from 0, by --seeds",
    ("optim.lr=3",): "optim.lr: has no effect on a linear head; leave it out",
    ("model.widths=[4,4]",): "model.widths: has no effect on a linear head; leave it out",
    ("dataset.val_size=1437",): "dataset.val_size",
    ("init_from=nowhere",): "nowhere",
    ("dataset/stream=rotation",): "dataset.stream: changes what there is to learn; leave it out",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_is_refused(words):
    with pytest.raises(InputError, match=REFUSED[words]):
        linear.main(list(words))
