"""``sdrun claims`` on claims that no training made."""

import json
import subprocess
import sys

import numpy as np
import pytest
from test_verdicts import claim

from sdrun import cli
from sdrun.claims.folder import ClaimFolder, find, keep
from sdrun.claims.page import page
from sdrun.claims.verdicts import judged


@pytest.fixture
def called(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["sdrun", "claims", *arguments])
        code = cli.main()
        return code, "".join(capsys.readouterr())

    return call


def changed(path, **entries):
    content = json.loads((path / "claim.json").read_text())
    (path / "claim.json").write_text(json.dumps({**content, **entries}))
    return path


def test_all_claims_below_a_folder_are_on_one_page(tmp_path, called):
    claim(tmp_path / "outputs/claims/one", gain=0.05, over_silent=0.05)
    claim(tmp_path / "outputs/claims/two")
    code, text = called()
    assert code == 0
    assert "| [one](#one) | **yes** | alive | helps |" in text
    assert "| [two](#two) | failed | not shown" in text
    assert "rest on 4 comparisons" in text
    assert called("outputs/claims/one", "outputs/claims/two", "-o", "page.md")[0] == 0
    assert (tmp_path / "page.md").read_text() == text


def test_what_was_kept_gives_the_same_page(tmp_path, called):
    claim(tmp_path / "outputs/claims/one", gain=0.05, over_silent=0.05)
    code, text = called("--keep", "kept")
    assert code == 0
    assert called("kept") == (0, text)


@pytest.mark.parametrize("content", [None, "{", '{"runs": {}}', '{"runs": {}, "declared": {"statement": "x"}}'])
def test_what_is_no_claim_is_said_in_one_message(tmp_path, called, content):
    (tmp_path / "one").mkdir()
    if content:
        (tmp_path / "one/claim.json").write_text(content)
    code, text = called("one")
    assert code == 2
    assert text.startswith("sdrun: ")


def test_compare_sends_a_claim_to_its_own_verb(tmp_path, monkeypatch, capsys):
    claim(tmp_path / "one")
    monkeypatch.setattr(sys, "argv", ["sdrun", "compare", "one"])
    assert cli.main() == 2
    assert "one is a claim; see: sdrun claims one" in capsys.readouterr().err


def test_a_run_that_failed_or_is_not_there_is_named(tmp_path):
    path = claim(tmp_path / "one", gain=0.05, over_silent=0.05)
    summary = json.loads((path / "tuned/seed_1/summary.json").read_text())
    (path / "tuned/seed_1/summary.json").write_text(json.dumps({**summary, "status": "failed"}))
    (path / "equal/seed_2/manifest.json").unlink()
    (found,) = judged([ClaimFolder.open(path)])
    text = page([found])
    assert "seed_1 is failed" in text
    assert "seed_2 manifest.json is not there" in text
    assert found.answers["helps"][0].difference.paired.n == 5


def test_the_chosen_member_of_the_grid_and_its_rivals_are_shown(tmp_path):
    path = changed(claim(tmp_path / "one"), grid={"low": 0.7, "high": 0.9}, chosen="high")
    text = page(judged([ClaimFolder.open(path)]))
    assert "val/accuracy, % on seed 100: high was chosen" in text
    assert "high 90.00, low 70.00" in text


def test_a_silent_arm_unlike_plain_training_is_told(tmp_path):
    words = "With the teacher's weight at zero the method is not plain training"
    assert words not in page(judged([ClaimFolder.open(claim(tmp_path / "like"))]))
    assert words in page(judged([ClaimFolder.open(claim(tmp_path / "unlike", gain=0.1))]))


def test_pretraining_counts_as_compute_of_the_method(tmp_path):
    path = claim(tmp_path / "one")
    runs = json.loads((path / "claim.json").read_text())["runs"]
    (path / "pretrain").mkdir()
    (path / "plain/seed_0").rename(path / "pretrain/seed_0")
    runs["pretrain/seed_0"] = runs.pop("plain/seed_0")
    (found,) = judged([ClaimFolder.open(changed(path, runs=runs))])
    assert found.compute("method", "multiply_adds") == 2000
    assert found.compute("plain", "multiply_adds") == 1000


def test_a_metric_without_a_better_side_does_not_hurt_by_being_higher(tmp_path):
    path = claim(tmp_path / "one")
    declared = json.loads((path / "claim.json").read_text())["declared"]
    changed(path, declared={**declared, "metrics": ["test/agreement"]})
    for seed in range(6):
        for arm, value in (("method", 0.9 + seed / 100), ("tuned", 0.5), ("silent", 0.5)):
            file = path / f"{arm}/seed_{seed}/summary.json"
            summary = json.loads(file.read_text())
            summary["metrics"]["test/agreement"] = value
            file.write_text(json.dumps(summary))
    (found,) = judged([ClaimFolder.open(path)])
    assert found.is_alive
    assert found.helps != "hurts"


def test_large_predictions_are_not_kept_and_settings_lose_the_place(tmp_path):
    path = claim(tmp_path / "one")
    run = path / "method/seed_0"
    (run / "predictions").mkdir()
    np.savez(run / "predictions/small.npz", test_logits=np.zeros(10))
    np.savez(run / "predictions/large.npz", test_logits=np.zeros(50_000))
    with (run / "config.yaml").open("a") as file:
        file.write(f"init_from: {tmp_path}/one/pretrain/seed_0\n")
    keep(find([path])[0], tmp_path / "kept")
    files = {file.name for file in (tmp_path / "kept/method/seed_0").rglob("*") if file.is_file()}
    assert files == {"config.yaml", "manifest.json", "summary.json", "small.npz"}
    assert "init_from: one/pretrain/seed_0\n" in (tmp_path / "kept/method/seed_0/config.yaml").read_text()
    assert (run / "predictions/large.npz").exists()


def test_it_imports_no_torch(tmp_path):
    claim(tmp_path / "one")
    code = "import sys; sys.argv = ['sdrun', 'claims', 'one']; from sdrun import cli; assert cli.main() == 0; "
    code += "assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
