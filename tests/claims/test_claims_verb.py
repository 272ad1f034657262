"""``sdrun claims`` on claims that no training made."""

import io
import json
import shutil
import sys

import fresh
import numpy as np
import pytest
from rich.console import Console
from test_verdicts import claim

from sdrun import cli
from sdrun.claims.folder import ClaimFolder, find, keep
from sdrun.claims.page import page
from sdrun.claims.screen import show
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
    claim(tmp_path / "outputs/claims/one", method=0.05)
    claim(tmp_path / "outputs/claims/two")
    assert called("outputs/claims/one", "outputs/claims/two", "-o", "docs/page.md")[0] == 0
    written = (tmp_path / "docs/page.md").read_text()
    for picture in ("forest", "one", "two"):
        assert f"(page/{picture}.svg)" in written
        svg = (tmp_path / f"docs/page/{picture}.svg").read_text()
        assert svg.startswith("<svg")
        assert "currentColor" not in svg
    assert "- **[one](#one)** is better than the tuned baseline by" in written
    assert "- **[two](#two)** differs from the tuned baseline by less than 1.0 points" in written


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_sees_the_answers_and_whole_words(tmp_path, width):
    claims = [claim(tmp_path / name, method=gain) for name, gain in (("one", 0.05), ("two", 0.0))]
    file = io.StringIO()
    show(judged(find(claims)), Console(file=file, width=width, force_terminal=True, color_system=None))
    text = file.getvalue()
    assert text.startswith("one is better than the tuned baseline by 4.3 to 5.7 points")
    assert "\n\ntwo differs from the tuned baseline by less than 1.0 points" in text
    assert max(map(len, text.splitlines())) <= width
    assert {"verdict", "no", "difference", "matters", "interval", "compute"} <= set(text.split())
    assert "alive: against its teacher's weight at zero" in " ".join(text.split())


def test_what_was_kept_gives_the_same_page(tmp_path, called):
    claim(tmp_path / "outputs/claims/one", method=0.05)
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


def test_a_run_that_failed_is_named(tmp_path):
    path = claim(tmp_path / "one", method=0.05)
    file = path / "baseline_x3/seed_1/summary.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "status": "failed"}))
    for seed in range(4):
        shutil.rmtree(path / f"silent/seed_{seed}")
    text = page(judged([ClaimFolder.open(path)]), None)
    left_out = "baseline_x3/seed_1 (failed); silent/seed_0, silent/seed_1, silent/seed_2 and 1 more (not begun)"
    assert f"Left out, as not finished: {left_out}. The same command goes on." in text


def test_a_report_of_a_claim_leads_with_its_answers(tmp_path, called, monkeypatch, capsys):
    claim(tmp_path / "one", method=0.05)
    monkeypatch.setattr(sys, "argv", ["sdrun", "report", "one", "-o", "report.html"])
    assert cli.main() == 0
    text = (tmp_path / "report.html").read_text()
    places = [
        text.index(part)
        for part in ("is better than the tuned baseline by", "<svg", "helps at equal compute", "<table")
    ]
    assert places == sorted(places)


def test_large_predictions_are_not_kept_and_settings_lose_the_place(tmp_path):
    path = claim(tmp_path / "one")
    run = path / "method_x3/seed_0"
    (run / "predictions").mkdir()
    np.savez(run / "predictions/small.npz", test_logits=np.zeros(10))
    np.savez(run / "predictions/large.npz", test_logits=np.zeros(50_000))
    with (run / "config.yaml").open("a") as file:
        file.write(f"init_from: {tmp_path}/one/pretrain/seed_0\n")
    keep(find([path])[0], tmp_path / "kept")
    files = {file.name for file in (tmp_path / "kept/method_x3/seed_0").rglob("*") if file.is_file()}
    assert files == {"config.yaml", "manifest.json", "summary.json", "small.npz"}
    assert "init_from: one/pretrain/seed_0\n" in (tmp_path / "kept/method_x3/seed_0/config.yaml").read_text()
    assert (run / "predictions/large.npz").exists()


def test_it_imports_no_torch(tmp_path):
    claim(tmp_path / "one")
    (verb,) = fresh.ended(["claims", "one"])
    assert verb.code == 0
    assert "torch" not in verb.heavy
