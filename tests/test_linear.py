"""Self-distillation of a linear head, which is known without training."""

import json

import numpy as np
import pytest

from helpers import start
from sdrun.errors import InputError
from sdrun.linear.search import ALPHAS, KINDS, ONE, PENALTIES, PLAIN, Items, penalties, search
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


def test_no_kind_is_nearer_on_validation_than_those_that_have_its_choices():
    """One step has all penalties of the coarse grid without a step among its settings."""
    trial = search(*(problem(seed=seed) for seed in range(3)), 3, seed=0)
    assert set(trial.best) == set(KINDS)
    assert trial.errors.shape == (PENALTIES, len(ALPHAS))
    assert trial.theory.shape == (PENALTIES,)
    plain = trial.errors[:, ALPHAS.index(0.0)]
    assert trial.errors.min() <= plain.min()
    assert trial.theory[0] > 0 > trial.theory[-1]  # labels are learned too well, or too little
    assert trial.best[ONE].alphas[0] in ALPHAS
    assert trial.best[PLAIN].alphas == ()
    assert penalties(PENALTIES)[0] < trial.best[PLAIN].penalty < penalties(PENALTIES)[-1]


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


def test_other_noise_is_as_a_run_has_it(tmp_path, capsys):
    words = ["--seeds", "2", "dataset.label_noise=0.3", "dataset.label_noise_kind=pair", "dataset.train_size=100"]
    linear.main([*words, "-o", str(tmp_path)])
    assert "30% of the labels wrong, 2 seeds" in capsys.readouterr().out


def test_features_of_a_run_are_those_of_its_backbone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    start(tmp_path / "run", "optim.max_steps=2")
    capsys.readouterr()
    words = ["--seeds", "2", "--noise", "0", f"init_from={tmp_path}/run", "model.widths=[8,8]"]
    linear.main([*words, "dataset.train_size=100"])
    assert f"Features     8: features of {tmp_path}/run" in capsys.readouterr().out


REFUSED = {
    ("--seeds", "1"): "--seeds: must be at least 2, but is 1",
    ("--noise", "1.5"): "--noise: needs shares from 0 to below 1, as 0,0.4, but is 1.5",
    ("--noise", "some"): "--noise: needs shares",
    ("--noise", "0.1", "dataset.label_noise=0.4"): "dataset.label_noise: says what --noise does",
    ("dataset.label_noise_matrix=[[1]]",): "dataset.label_noise_matrix: has no share to vary",
    ("dataset=sentences",): "init_from: is missing, and words as they are mean nothing in numbers",
    ("dataset.val_size=0",): "dataset.val_size: is 0, and what is best is chosen by it; hold some items out",
    ("init_from=nowhere",): "nowhere",
    ("dataset/stream=rotation",): "dataset.stream: changes what there is to learn; leave it out",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_is_refused(words):
    with pytest.raises(InputError, match=REFUSED[words]):
        linear.main(list(words))
