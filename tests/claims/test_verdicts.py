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
    "metrics": ["test/accuracy"],
    "seeds": list(range(6)),
    "tuning_seed": 100,
    "choose_by": "val/accuracy",
    "plain": ["method=supervised"],
    "method": ["method=cs_kd"],
    "silent": ["method.weight=0"],
    "pretrain": None,
    "grid": {"epochs": [1], "view": ["weak"], "label_smoothing": [0.0]},
}
NOISE = [0.0, 0.004, -0.003, 0.002, -0.004, 0.001]
NEEDED = {"optim__max_steps": None, "optim__batch_size": 8, "dataset__train_size": None, "dataset__num_labels": None}
NEEDED |= {"dataset__label_noise": 0.0, "model__name": "cnn"}


def claim(path, gain=0.0, over_silent=0.0, seeds=range(6)):
    means = {"plain": 0.8, "method": 0.8 + gain, "silent": 0.8 + gain - over_silent, "tuned": 0.8, "equal": 0.8}
    runs = {}
    for arm, mean in means.items():
        for seed in seeds:
            place = f"{arm}/seed_{seed}"
            shift = NOISE[(seed + list(means).index(arm)) % 6] / 2
            made_run(
                path / place,
                seed,
                mean + NOISE[seed] + shift,
                method="cs_kd" if arm == "method" else "supervised",
                **NEEDED,
            )
            runs[place] = {"overrides": []}
    (path / "claim.json").write_text(
        json.dumps({"declared": DECLARED, "runs": runs, "grid": {"one": 0.9}, "chosen": "one"})
    )
    return path


def verdicts(*paths):
    return judged([ClaimFolder.open(path) for path in paths])


def test_a_method_that_is_better_than_both_is_alive_and_helps(tmp_path):
    (found,) = verdicts(claim(tmp_path / "c", gain=0.05, over_silent=0.05))
    assert (found.alive, found.helps) == ("alive", "helps")
    assert "| **yes** |" in page([found])


def test_a_method_that_is_worse_than_the_baseline_hurts_though_it_is_alive(tmp_path):
    (found,) = verdicts(claim(tmp_path / "c", gain=-0.05, over_silent=0.05))
    assert (found.alive, found.helps) == ("alive", "hurts")
    assert "| failed |" in page([found])


def test_without_an_effect_nothing_is_shown(tmp_path):
    (found,) = verdicts(claim(tmp_path / "c"))
    assert found.alive.startswith("not shown: cannot tell with 6 seeds")
    assert found.helps.startswith("not shown: cannot tell with 6 seeds")


def test_the_comparisons_of_all_claims_are_corrected_for_together(tmp_path):
    paths = [claim(tmp_path / f"c{number}", gain=0.004, over_silent=0.05) for number in range(6)]
    alone, together = verdicts(paths[0])[0], verdicts(*paths)[0]
    assert len(alone.decisive) == 2
    assert alone.decisive[1].adjusted < together.decisive[1].adjusted
    assert "rest on 12 comparisons" in page(verdicts(*paths))


def test_a_missing_run_is_named_and_its_seed_left_out(tmp_path):
    path = claim(tmp_path / "c", gain=0.05, over_silent=0.05)
    (path / "method/seed_3/summary.json").unlink()
    (path / "silent/seed_2/summary.json").write_text("{")
    (found,) = verdicts(path)
    assert [place.parent.name for place, _ in found.missing] == ["method", "silent"]
    assert found.answers["alive"][0].difference.paired.n == 4
    assert "Not finished, and left out: " in page([found])


def test_a_claim_that_has_barely_begun_has_a_page(tmp_path):
    path = claim(tmp_path / "c", seeds=[0])
    for arm in ("plain", "tuned", "equal", "silent"):
        (path / arm / "seed_0/manifest.json").unlink()
    (found,) = verdicts(path)
    assert found.helps == "not shown: runs are missing"
    assert "No plain training is finished" in page([found])


def test_what_is_no_claim_is_refused(tmp_path):
    (tmp_path / "c").mkdir()
    for content in (None, "{", "[]", '{"runs": {}}'):
        if content:
            (tmp_path / "c/claim.json").write_text(content)
        with pytest.raises(InputError):
            ClaimFolder.open(tmp_path / "c")


def test_the_page_has_every_arm_with_its_compute(tmp_path):
    text = page(verdicts(claim(tmp_path / "c")))
    for name in ("method", "method, teacher's weight 0", "plain training", "tuned baseline, equal compute"):
        assert f"| {name} | 6 |" in text
    assert "30 CPU-minutes" in text


def test_small_files_are_kept_without_the_paths_of_this_machine(tmp_path):
    path = claim(tmp_path / "c")
    (path / "plain/seed_0/manifest.json").write_text(
        (path / "plain/seed_0/manifest.json").read_text().replace('"digits"', f'"{tmp_path}/digits"')
    )
    (path / "plain/seed_0/stages").mkdir()
    (path / "plain/seed_0/stages/last.pt").write_bytes(b"weights")
    keep(ClaimFolder.open(path), tmp_path / "kept")
    assert '"dataset": "digits"' in (tmp_path / "kept/plain/seed_0/manifest.json").read_text()
    assert not list((tmp_path / "kept").rglob("*.pt"))
    assert page(judged(find([tmp_path / "kept"]))).count("seconds") == page(verdicts(path)).count("seconds")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tuning_seed": 0}, "tuning_seed: must not be one of the paired seeds"),
        ({"silent": None}, "silent: is null, and no alive"),
        ({"seeds": [0]}, "seeds: needs two seeds"),
        ({"grid": {"epochs": [0], "view": ["weak"], "label_smoothing": [0.0]}}, "grid.epochs: needs shares above 0"),
        ({"grid": {"epochs": [1], "view": ["odd"], "label_smoothing": [0.0]}}, "grid.view: is 'odd'"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_a_declaration_that_does_not_hold_together_is_refused(change, words):
    with pytest.raises(InputError) as caught:
        declaration({**DECLARED, **change})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("metric", "ranked"), [("val/accuracy", "two 90.00, one 40.00"), ("val/nll", "one 0.4000, two")]
)
def test_the_grid_is_shown_from_the_best_on(tmp_path, metric, ranked):
    path = claim(tmp_path / "c", seeds=range(2))
    content = json.loads((path / "claim.json").read_text())
    content |= {"grid": {"one": 0.4, "two": 0.9}, "declared": {**DECLARED, "choose_by": metric}}
    (path / "claim.json").write_text(json.dumps(content))
    assert ranked in page(verdicts(path))
