"""What is said of claims whose runs no training made."""

import json

import pytest
from folders import made_run

from sdrun.claims.declaration import declaration
from sdrun.claims.folder import ClaimFolder, find, keep
from sdrun.claims.page import page
from sdrun.claims.verdicts import judged
from sdrun.errors import InputError

DECLARED = {
    "statement": "It helps.",
    "metric": "test/accuracy",
    "margin": 0.01,
    "seeds": 5,
    "most_seeds": 8,
    "tuning_seeds": [100],
    "choose_by": "val/accuracy",
    "val_size": None,
    "trials": 2,
    "halving": 2,
    "lengths": [1.0, 3.0],
    "grid": {"optim.lr": [0.1, 0.2]},
    "knobs": {"method.weight": [1, 2]},
    "baseline": ["method=supervised"],
    "method": ["method=cs_kd"],
    "silent": ["method.weight=0"],
    "uninformed": ["control=shuffled"],
    "labels": ["control=hard"],
    "pretrain": None,
}
NOISE = [0.0, 0.004, -0.003, 0.002, -0.004, 0.001, 0.003, -0.002]
NEEDED = {"optim__max_steps": None, "optim__batch_size": 8, "dataset__train_size": None, "dataset__num_labels": None}
NEEDED |= {"dataset__label_noise": 0.0, "dataset__val_size": 40, "model__name": "cnn"}
CHOSEN = {"method": "method_x3", "baseline": "baseline_x3", "equal": "baseline_equal"}
COSTS = {"baseline_x1": 1000, "method_x1": 2000, "baseline_x3": 3000, "method_x3": 6000, "baseline_equal": 6000}
ARMS = (*COSTS, "silent", "uninformed", "labels")


def member(name, score=0.8):
    side, length = name.split("_")
    tried = {} if length == "equal" else {"optim.lr=0.1": score, "optim.lr=0.2": score - 0.1}
    values = {"name": name, "side": side, "length": float(length.strip("x")) if tried else 6.0, "arm": f"tuning/{name}"}
    return {**values, "overrides": ["optim.lr=0.1"], "score": score, "cost": COSTS[name], "tried": tried}


MEMBERS = {name: member(name, 0.8 + place / 100) for place, name in enumerate(COSTS)}


def claim(path, seeds=range(8), declared=DECLARED, chosen=CHOSEN, **gains):
    """A claim of which each arm is better by so much than all else; ``method``: at its larger length."""
    runs = {}
    gains = {"method_x3" if arm == "method" else arm: gain for arm, gain in gains.items()}
    for arm in ARMS:
        for seed in seeds:
            place = f"{arm}/seed_{seed}"
            accuracy = 0.8 + gains.get(arm, 0.0) + NOISE[seed] + NOISE[(seed + ARMS.index(arm)) % 8] / 2
            name = "supervised" if arm.startswith("baseline") else "cs_kd"
            made_run(path / place, seed, accuracy, method=name, **NEEDED)
            runs[place] = {"overrides": []}
    made_run(path / "tuning/baseline_x1_00/seed_100", 100, **NEEDED)
    runs["tuning/baseline_x1_00/seed_100"] = {"overrides": []}
    content = {"declared": declared, "runs": runs, "members": MEMBERS, "chosen": chosen}
    (path / "claim.json").write_text(json.dumps(content))
    return path


def the(path):
    (one,) = judged([ClaimFolder.open(path)])
    return one


def verdicts(one):
    """By question: what is shown, in a letter."""
    letters = {True: "+", False: "-"}
    answers = {name: answer for name, answer in one.answers.items() if answer.difference}
    return {
        name: "=" if answer.is_same else letters[answer.is_better] if answer.is_different else "?"
        for name, answer in answers.items()
    }


def test_a_method_that_is_better_than_all_is_alive_informed_and_helps(tmp_path):
    one = the(claim(tmp_path / "c", method=0.05))
    assert set(verdicts(one).values()) == {"+"}
    assert one.is_decided
    assert one.num_seeds == 5
    assert (one.price, one.pays_from.budget) == (2.0, 6000)
    assert [rung.budget for rung in one.ladder] == [2000, 3000, 6000]
    text = page([one], None)
    assert "**[c](#c)** is better than the tuned baseline by " in text
    assert "5 seeds; it costs 2.0 times the compute. It is better than the best baseline for as much compute by" in text
    assert "What its teacher knows counts." in text


@pytest.mark.parametrize(
    ("gains", "meaning"),
    [
        ({"silent": 0.05}, "Its teacher makes no difference that matters."),
        ({"silent": 0.1}, "Its teacher makes it worse."),
        ({"silent": 0.0445, "seeds": range(5)}, "That its teacher makes a difference is not shown."),
        ({"uninformed": 0.05}, "It works as a regulariser: a teacher that knows nothing of the sample does as well."),
        ({"uninformed": 0.1}, "It works as a regulariser, and a teacher that knows nothing of the sample does better."),
        ({"labels": 0.05}, "It works by its labels: a teacher that knows the class alone does as well."),
        ({"labels": 0.0445, "seeds": range(5)}, "better than with a teacher that knows the class alone is not shown"),
    ],
)
def test_a_teacher_is_what_its_controls_leave_of_it(tmp_path, gains, meaning):
    one = the(claim(tmp_path / "c", method=0.05, **gains))
    assert meaning in page([one], None)
    assert verdicts(one)["helps"] == "+"


def test_a_method_that_is_worse_is_said_to_be(tmp_path):
    one = the(claim(tmp_path / "c", method=-0.05))
    assert verdicts(one)["helps"] == verdicts(one)["equal_compute"] == "-"
    assert one.is_decided
    assert one.pays_from is None
    assert "is worse than the tuned baseline by " in page([one], None)


def test_no_effect_is_decided_by_the_margin(tmp_path):
    one = the(claim(tmp_path / "c"))
    assert set(verdicts(one).values()) == {"="}
    assert one.is_decided
    assert "differs from the tuned baseline by less than 1.0 points of accuracy" in page([one], None)
    undecided = the(claim(tmp_path / "d", declared={**DECLARED, "margin": 0.0001}))
    assert set(verdicts(undecided).values()) == {"?"}
    assert "Not decided with 8 seeds, the most that were declared." in page([undecided], None)


def test_more_seeds_are_looked_at_where_fewer_show_nothing(tmp_path):
    fine = {**DECLARED, "margin": 0.001}
    one = the(claim(tmp_path / "c", seeds=range(5), declared=fine, method=0.004))
    assert verdicts(one)["helps"] == "?"
    assert not one.is_decided
    rivals = {
        name: one.chosen.get(answer.contrast.right, answer.contrast.right) for name, answer in one.answers.items()
    }
    assert one.open_arms == {"method_x3", *(rivals[name] for name, letter in verdicts(one).items() if letter == "?")}
    more = the(claim(tmp_path / "d", seeds=range(8), declared=fine, method=0.004))
    assert verdicts(more)["helps"] == "+"
    assert more.answers["helps"].difference.paired.n == 8


def test_what_one_look_decided_stays_whatever_comes_later(tmp_path):
    path = claim(tmp_path / "c", method=0.05)
    before = the(path).answers["helps"].difference
    for file in (path / f"method_x3/seed_{seed}/summary.json" for seed in range(5, 8)):
        summary = json.loads(file.read_text())
        summary["metrics"]["test/accuracy"] = 0.1
        file.write_text(json.dumps(summary))
    assert the(path).answers["helps"].difference == before


def test_a_look_that_is_not_whole_does_not_count(tmp_path):
    path = claim(tmp_path / "c", seeds=range(7), declared={**DECLARED, "margin": 0.0001})
    (path / "silent/seed_3/summary.json").unlink()
    one = the(path)
    assert one.answers["helps"].difference.paired.n == 5
    assert one.answers["alive"].difference is None
    assert "silent/seed_3 (summary.json is not there)" in page([one], None)


def test_the_interval_and_the_verdict_of_every_answer_agree(tmp_path):
    for number, gain in enumerate((-0.05, -0.008, -0.004, 0.0, 0.003, 0.006, 0.009, 0.02)):
        for answer in the(claim(tmp_path / str(number), method=gain)).answers.values():
            low, high = answer.difference.paired.low, answer.difference.paired.high
            assert answer.is_same == (low > -0.01 and high < 0.01)
            assert answer.is_different == ((low > 0 or high < 0) and not answer.is_same)


def test_questions_and_looks_share_the_level(tmp_path):
    fine = {**DECLARED, "margin": 0.0001}
    for asked, num in ((fine, 5), ({**fine, "labels": None, "uninformed": None}, 3)):
        one = the(claim(tmp_path / str(num), seeds=range(5), declared=asked))
        assert [answer.difference.level for answer in one.answers.values()] == [
            pytest.approx(0.05 / (num + 1) * 5 / 8)
        ] * num
    last = the(claim(tmp_path / "last", declared=fine)).answers["helps"].difference
    assert (last.paired.n, last.level) == (8, pytest.approx(0.05 / 6 * 3 / 8))


def test_a_claim_reads_the_same_beside_others(tmp_path):
    one = claim(tmp_path / "one", method=0.05)
    others = [claim(tmp_path / f"c{number}", method=0.003) for number in range(3)]
    alone, beside = (judged([ClaimFolder.open(path) for path in paths])[0] for paths in ([one], [one, *others]))
    assert alone.answers == beside.answers
    text = page(judged([ClaimFolder.open(path) for path in (one, *others)]), None)
    assert "<sub>Were the intervals of all 4 claims to hold together as well, " in text


def test_a_loss_is_better_where_it_is_lower(tmp_path):
    declared = {**DECLARED, "metric": "test/nll"}
    path = claim(tmp_path / "c", declared=declared)
    for file in path.glob("method_x3/*/summary.json"):
        summary = json.loads(file.read_text())
        summary["metrics"]["test/nll"] -= 0.2 + summary["seed"] / 1000
        file.write_text(json.dumps(summary))
    one = the(path)
    assert verdicts(one)["helps"] == "+"
    assert "is better than the tuned baseline: NLL is lower by" in page([one], None)


def test_a_longer_training_that_scores_less_is_not_the_baseline_s_best(tmp_path):
    one = the(claim(tmp_path / "c", chosen={**CHOSEN, "equal": "baseline_x3"}, method=0.05))
    assert "also the best baseline for as much compute, as longer training did not score higher" in page([one], None)


def test_a_claim_that_has_barely_begun_has_a_page(tmp_path):
    path = claim(tmp_path / "c", seeds=[0])
    assert "the paired seeds of its first look are not all finished" in page([the(path)], None)
    content = json.loads((path / "claim.json").read_text())
    (path / "claim.json").write_text(json.dumps({"declared": content["declared"], "runs": {}}))
    assert "It is not tuned yet." in page([the(path)], None)
    assert "No trial of the baseline is finished." in page([the(path)], None)


def test_an_average_that_lags_behind_its_student_is_told(tmp_path):
    path = claim(tmp_path / "c", method=-0.05)
    for file in path.glob("method_x3/*/summary.json"):
        summary = json.loads(file.read_text())
        summary["metrics"]["test/student/accuracy"] = summary["metrics"]["test/accuracy"] + 0.08
        file.write_text(json.dumps(summary))
    assert "method x3: method: what is judged is the average of the student's weights" in page([the(path)], None)


def test_what_is_no_claim_is_refused(tmp_path):
    (tmp_path / "c").mkdir()
    for content in (None, "{", "[]", '{"runs": {}}'):
        if content:
            (tmp_path / "c/claim.json").write_text(content)
        with pytest.raises(InputError):
            ClaimFolder.open(tmp_path / "c")


def test_the_page_has_every_arm_and_every_trial(tmp_path):
    text = page([the(claim(tmp_path / "c"))], None)
    for name in (
        "baseline x1",
        "baseline x3: tuned baseline",
        "baseline x6: baseline for as much compute",
        "method x3: method",
        "method, method.weight=0",
        "method, control=shuffled",
        "method, control=hard",
    ):
        assert f"| {name} | 8 |" in text
    assert "| 81.00 | optim.lr=0.1 |" in text
    assert "x1 is 10 epochs of 8." in text
    assert "All 65 runs took 65 CPU-minutes." in text


def test_small_files_are_kept_without_the_paths_of_this_machine(tmp_path):
    path = claim(tmp_path / "c")
    manifest = path / "silent/seed_0/manifest.json"
    manifest.write_text(manifest.read_text().replace('"digits"', f'"{tmp_path}/digits"'))
    (path / "silent/seed_0/stages").mkdir()
    (path / "silent/seed_0/stages/last.pt").write_bytes(b"weights")
    keep(ClaimFolder.open(path), tmp_path / "kept/c")
    assert '"dataset": "digits"' in (tmp_path / "kept/c/silent/seed_0/manifest.json").read_text()
    assert not list((tmp_path / "kept").rglob("*.pt"))
    assert page(judged(find([tmp_path / "kept"])), None) == page([the(path)], None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tuning_seeds": [3]}, "tuning_seeds: must not be among the paired seeds, which are 0 to 7"),
        ({"tuning_seeds": []}, "tuning_seeds: needs one seed at least"),
        ({"silent": None}, "silent: is null, and no alive"),
        ({"seeds": 2}, "seeds: must be at least 3"),
        ({"most_seeds": 4}, "most_seeds: must be at least 5"),
        ({"margin": 0}, "margin: must be above 0"),
        ({"trials": 3}, "trials: must be at most 2, for the baseline has no more combinations"),
        ({"trials": 0}, "trials: must be at most 2"),
        ({"halving": 1}, "halving: must be at least 2"),
        ({"lengths": [3.0, 1.0]}, "lengths: needs multiples above 0"),
        ({"lengths": []}, "lengths: needs multiples above 0"),
        ({"grid": {"optim.lr": []}}, "grid: needs a list of values for optim.lr"),
        ({"knobs": {"optim.lr": [1]}}, "knobs: has optim.lr of the grid that both sides share"),
        ({"val_size": 0}, "val_size: must be at least 1"),
        ({"choose_by": "test/accuracy"}, "choose_by: needs a metric of the validation split"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_a_declaration_that_does_not_hold_together_is_refused(change, words):
    with pytest.raises(InputError) as caught:
        declaration({**DECLARED, **change})
    assert f"hydra.sweeper.{words}" in str(caught.value)
