"""Runs on tables of one's own and on a crowd's ratings: what of the data reaches them, and what does not."""

import numpy as np
import pytest
import yaml
from tasks.text.ratings import zipped
from tasks.text.tables import ROWS, table, written

from helpers import QUICK, predictions, start, summary, weights

BASE = ("method=supervised", "optim.batch_size=20", "log_every=2", *QUICK)
MINE = ("dataset=text_csv", "dataset.val_size=8", "optim.epochs=2")
SMALL_TRANSFORMER = ("model=transformer", "model.width=16", "model.depth=2", "model.vocabulary=600")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    file = written(folder, table())
    return start(folder / "run", *MINE, *SMALL_TRANSFORMER, f"dataset.root={file}", base=BASE)


@pytest.mark.parametrize("model", [("model=bag",), SMALL_TRANSFORMER])
def test_what_is_tested_on_changes_nothing_of_training(model, tmp_path):
    file = written(tmp_path, table())
    others = [table("well,good", "no,bad"), table(f"{'a much longer text ' * 9},good", "no,bad", "so so,bad")]
    runs = [
        start(
            tmp_path / f"run_{number}",
            *MINE,
            *model,
            f"dataset.root={file}",
            f"dataset.test_file={written(tmp_path, text, f'{number}.csv')}",
            base=BASE,
        )
        for number, text in enumerate(others)
    ]
    one, other = map(weights, runs)
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)


def test_paths_are_kept_from_the_root(tmp_path, monkeypatch, called):
    written(tmp_path, table())
    written(tmp_path, table("well,good", "no,bad"), "test.csv")
    asked = (*BASE, *MINE, "dataset.root=table.csv", "dataset.test_file=test.csv", "hydra.run.dir=run")
    code, text = called(*asked)
    assert code == 0, text
    kept = yaml.safe_load((tmp_path / "run/config.yaml").read_text())["dataset"]
    assert (kept["root"], kept["test_file"]) == (str(tmp_path / "table.csv"), str(tmp_path / "test.csv"))
    (tmp_path / "elsewhere").mkdir()
    for name in ("table.csv", "test.csv"):
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, text = called("evaluate", "../run", "dataset.root=table.csv", "dataset.test_file=test.csv")
    assert code == 0, text


def test_all_of_another_table_is_judged_by_the_classes_of_the_run(run, tmp_path, called):
    file = written(tmp_path, table(*(f"a good day {n},good" for n in range(7))), "other.csv")
    code, text = called("evaluate", str(run), "--root", str(file))
    assert code == 0, text
    (again,) = (run / "evaluations").iterdir()
    assert predictions(again)["supervised/test_labels"].tolist() == [1] * 7
    code, text = called("evaluate", str(run), "--root", str(written(tmp_path, table("well,fine"), "third.csv")))
    assert code == 2
    assert text.startswith("sdrun: --root: ")
    assert "third.csv, line 2: no training text has the label 'fine', only 'bad', 'good'" in text


def test_a_dataset_with_settings_of_its_own_is_not_put_in_anothers_place(run, called):
    code, text = called("evaluate", str(run), "--dataset", "vader")
    assert (code, text.count("\n")) == (2, 1)
    assert "--dataset: vader has settings of its own, which a run on text_csv does not tell" in text


def test_a_run_does_not_start_from_another_whose_tokenizer_is_lost(tmp_path, called):
    file = written(tmp_path, table())
    asked = (*MINE, *SMALL_TRANSFORMER, f"dataset.root={file}")
    first = start(tmp_path / "first", *asked, base=BASE)
    (first / "tokenizer.json").unlink()
    code, text = called(*BASE, *asked, f"init_from={first}", "hydra.run.dir=second")
    assert code == 1
    assert f"{first}/tokenizer.json is gone or damaged; make it again by: sdrun resume {first} --repair" in text
    code, text = called("evaluate", str(first))
    assert code == 1
    assert "tokenizer.json is gone or damaged; make it again by" in text


def test_a_crowd_is_held_against_predictions_and_never_reaches_training(tmp_path):
    archive = zipped(tmp_path)
    asked = ("dataset=vader", f"dataset.root={archive}", "dataset.val_size=30", "optim.epochs=2")
    path = start(tmp_path / "run", *asked, "dataset.labels_from=rater", base=BASE)
    metrics = summary(path)["metrics"]
    assert metrics.keys() >= {"test/crowd_kl", "test/crowd_kl_calibrated", "val/crowd_kl"}
    assert metrics["train/true_label_accuracy"] != metrics["train/given_label_accuracy"]
    crowd = predictions(path)["supervised/test_crowd"]
    np.testing.assert_allclose(crowd.sum(axis=1), 1)
    assert crowd.shape == predictions(path)["supervised/test_logits"].shape
    declared = summary(path)["declared"]["crowd_kl"]
    assert (declared["better"], declared["title"]) == ("lower", "KL to the crowd")


def test_test_texts_that_are_in_training_are_told_of(tmp_path):
    file, other = written(tmp_path, table()), written(tmp_path, table(*ROWS[:3], "well,good"), "other.csv")
    asked = (*MINE, "dataset.val_size=0", f"dataset.root={file}", f"dataset.test_file={other}")
    path = start(tmp_path / "run", *asked, base=BASE)
    assert "WARNING 3 of 4 test items are in training too, exactly the same" in (path / "run.log").read_text()
