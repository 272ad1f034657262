"""The page of labels that look wrong: what is on it, that nothing in it executes, and what a person writes is taken."""

import csv
import re

import numpy as np
import pytest
from owned import npz
from tasks.text.ratings import zipped

from helpers import start
from sdrun import tasks

REFINE = ("method=refine", "dataset.label_noise=0.3", "optim.max_steps=6")


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refined") / "run"
    start(folder, *REFINE)
    return folder


def rows(folder):
    with (folder / "refined_labels.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_most_suspicious_of_each_label_are_shown(refined, called):
    code, said = called("review", str(refined), "--most", "3")
    assert (code, said) == (0, f"Review  {refined}/review.html\n")
    page = (refined / "review.html").read_text()
    for label in range(10):
        suspects = [row for row in rows(refined) if row["given"] == str(label) and row["suspect"] == "yes"]
        shown = [f"row {row['row']} · rank {int(row['rank']):,}" in page for row in suspects]
        assert shown == [place < 3 for place in range(len(suspects))]
    assert page.count('<img src="data:image/png;base64,') == page.count("<figure>")


def test_a_page_without_suspects_says_so(tmp_path, called):
    """Models that know the classes, and labels that are all right."""
    x = np.repeat(np.eye(3, dtype=np.float32), 60, axis=0)
    file = npz(tmp_path / "a.npz", x=x, y=np.repeat([0, 1, 2], 60))
    words = ("method=refine", "dataset=vectors", f"dataset.root={file}", "optim.epochs=40", "pictures=false")
    assert called(*words, f"hydra.run.dir={tmp_path}/run")[0] == 0
    assert called("review", str(tmp_path / "run"))[0] == 0
    page = (tmp_path / "run/review.html").read_text()
    assert '<p class="answer">0 of 130 are suspect, about 0.0% wrong.</p>' in page
    assert "Labels look clean" in page
    assert "<figure>" not in page


def test_the_command_takes_what_a_person_wrote_and_no_other_corrections(refined, tmp_path, called):
    words = (f"dataset.corrections={refined}/refined_labels.csv", "dataset.corrections_column=proposed")
    start(tmp_path / "run", *REFINE, *words)
    called("review", str(tmp_path / "run"))
    page = (tmp_path / "run/review.html").read_text()
    assert page.count("dataset.corrections") == 1
    assert f"dataset.corrections={tmp_path}/run/refined_labels.csv" in page


def test_nothing_on_the_page_executes_or_is_fetched(refined, called):
    called("review", str(refined))
    page = (refined / "review.html").read_text()
    assert "default-src 'none'; img-src data:" in page
    assert not re.search(r"<script|javascript:|\son\w+=|https?://", page)


def test_texts_are_shown_as_they_are_and_cannot_break_out(tmp_path, called):
    lines = [f'"word{n} <script>alert({n})</script>",{"ab"[n % 2]}' for n in range(80)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    data = ("dataset=text_csv", f"dataset.root={tmp_path}/a.csv", "dataset.val_size=8", "model=bag", "pictures=false")
    code, _ = called(*data, "method=refine", "optim.max_steps=4", f"hydra.run.dir={tmp_path}/run")
    assert code == 0
    assert called("review", str(tmp_path / "run"))[0] == 0
    page = (tmp_path / "run/review.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "line " in page


def test_what_a_person_writes_into_the_file_is_taken_by_the_next_run(refined, tmp_path):
    found = rows(refined)
    found[0]["label"] = str((int(found[0]["given"]) + 1) % 10)
    file = tmp_path / "mine.csv"
    with file.open("w") as opened:
        writer = csv.DictWriter(opened, list(found[0]))
        writer.writeheader()
        writer.writerows(found)
    start(tmp_path / "run", *REFINE, f"dataset.corrections={file}")
    again = {row["row"]: row["given"] for row in rows(tmp_path / "run")}
    before = {row["row"]: row["given"] for row in found}
    assert {row for row in again if again[row] != before[row]} == {found[0]["row"]}
    assert again[found[0]["row"]] == found[0]["label"]


def test_all_that_was_proposed_can_be_taken_at_once(refined, tmp_path):
    words = (f"dataset.corrections={refined}/refined_labels.csv", "dataset.corrections_column=proposed")
    start(tmp_path / "run", *REFINE, *words)
    assert {row["row"]: row["given"] for row in rows(tmp_path / "run")} == {
        row["row"]: row["proposed"] for row in rows(refined)
    }


def test_a_run_without_beliefs_out_of_sample_is_refused(tmp_path, called):
    start(tmp_path / "run", "method=supervised", "optim.max_steps=2")
    code, said = called("review", str(tmp_path / "run"))
    assert code == 2
    assert "holds no beliefs out of sample; sdrun method=refine makes them, with two folds or more" in said
    assert called("review", str(tmp_path / "none"))[0] == 2


def test_data_that_are_others_now_are_refused(tmp_path, called):
    archive = zipped(tmp_path)
    data = ("dataset=vader", f"dataset.root={archive}", "dataset.val_size=20", "dataset.labels_from=rater")
    code, _ = called(*data, "method=refine", "optim.max_steps=4", "pictures=false", f"hydra.run.dir={tmp_path}/run")
    assert code == 0
    archive.unlink()
    tasks._loaded.clear()
    code, said = called("review", str(tmp_path / "run"))
    assert code == 2
    assert said.startswith("sdrun: dataset.root: ")
