"""What several annotators and models that did not see the items say together."""

import csv
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cleanlab.multiannotator import get_label_quality_multiannotator

from helpers import start, summary
from sdrun.data.consensus import Annotations, agreed
from sdrun.methods.refine.audit import Audit
from sdrun.methods.refine.settings import Finder
from sdrun.settings import ConsensusKind
from sdrun.storage.folder import RunFolder

NUM, CLASSES = 1500, "abcd"


def crowded(per_item, seed=0):
    """Annotators [J] of whom some know little, their labels, a model's beliefs [N, K], the truth [N]."""
    random = np.random.default_rng(seed)
    truth, skill = random.integers(0, 4, NUM), random.uniform(0.4, 0.95, 12)
    items = np.repeat(np.arange(NUM), per_item)
    annotators = np.concatenate([random.permutation(12)[:per_item] for _ in range(NUM)])
    is_right = random.random(len(items)) < skill[annotators]
    labels = np.where(is_right, truth[items], (truth[items] + random.integers(1, 4, len(items))) % 4)
    logits = random.normal(size=(NUM, 4)) + 1.5 * np.eye(4)[truth]
    beliefs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Annotations(items, annotators, labels, np.array([f"=p{j}" for j in range(12)])), beliefs, truth, skill


def audited(annotations, beliefs, finder=Finder.anchors):
    labels = agreed(annotations, ConsensusKind.majority, np.zeros(NUM, dtype=int), 4, seed=0)
    return Audit("row", np.arange(NUM), labels, beliefs, CLASSES, finder, annotations)


@pytest.mark.parametrize("per_item", [2, 3, 5])
def test_together_they_are_right_more_often_than_by_themselves(per_item):
    annotations, beliefs, truth, _ = crowded(per_item)
    audit = audited(annotations, beliefs)
    ours = (audit.findings.classes.argmax(axis=1) == truth).mean()
    assert ours > (audit.labels == truth).mean() + 0.02
    assert ours > (beliefs.argmax(axis=1) == truth).mean() + 0.02
    assert (audit.proposed == truth).mean() > (audit.labels == truth).mean() + 0.02
    assert audit.findings.noise_rate == pytest.approx((audit.labels != truth).mean(), abs=0.06)


@pytest.mark.parametrize("per_item", [3, 5])
def test_they_are_right_as_often_as_crowdlab_is_at_least(per_item):
    ours, theirs = [], []
    for seed in range(3):
        annotations, beliefs, truth, _ = crowded(per_item, seed)
        told = np.full((NUM, 12), np.nan)
        told[annotations.items, annotations.annotators] = annotations.labels
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = get_label_quality_multiannotator(pd.DataFrame(told), beliefs, verbose=False)["label_quality"]
        theirs.append((table["consensus_label"].to_numpy() == truth).mean())
        ours.append((audited(annotations, beliefs).findings.classes.argmax(axis=1) == truth).mean())
    assert np.mean(ours) > np.mean(theirs)


def test_who_is_reliable_is_found_and_written_with_the_most_frequent_mistake():
    annotations, beliefs, truth, skill = crowded(3)
    annotations.labels[(annotations.annotators == 0) & (truth[annotations.items] == 2)] = 1
    audit = audited(annotations, beliefs)
    assert np.corrcoef(audit.crowd.reliability[1:], skill[1:])[0, 1] > 0.95
    rows = list(csv.DictReader(audit.annotators.splitlines()))
    assert [float(row["right"]) for row in rows] == sorted(float(row["right"]) for row in rows)
    first = next(row for row in rows if row["annotator"] == "'=p0")
    assert (first["says"], first["of"]) == ("b", "c")
    assert int(first["labels"]) == (annotations.annotators == 0).sum()
    assert audit.metrics(truth, 0)["labels/annotator_accuracy"] == pytest.approx(
        (annotations.labels == truth[annotations.items]).mean(), abs=0.03
    )
    assert audit.summary[1].startswith("12 annotators, ")


def test_what_few_people_say_of_few_items_leaves_the_rest_to_anchors():
    """Labels of which many are wrong, and two people who are right of thirty items."""
    annotations, beliefs, truth, _ = crowded(1)
    labels = annotations.labels.copy()
    labels[:30] = truth[:30]
    asked = Annotations(np.tile(np.arange(30), 2), np.repeat([0, 1], 30), np.tile(truth[:30], 2), np.array(["a", "b"]))
    audit = Audit("row", np.arange(NUM), labels, beliefs, CLASSES, Finder.anchors, asked)
    alone = replace(audit, annotations=None)
    assert np.array_equal(audit.findings.classes[30:], alone.findings.classes[30:])
    assert not audit.findings.is_suspect[:30].any()
    rows = {int(row["row"]): row for row in csv.DictReader(audit.table(beliefs).splitlines())}
    assert (rows[0]["annotators"], rows[0]["agree"]) == ("2", "1.0000")
    assert (rows[30]["annotators"], rows[30]["agree"]) == ("0", "")
    assert [row.split(",")[4:] for row in audit.annotators.splitlines()[1:]] == [["", ""]] * 2


def test_one_person_who_says_all_twice_is_one():
    annotations, beliefs, _, _ = crowded(1)
    twice = Annotations(
        *(np.tile(values, 2) for values in (annotations.items, annotations.annotators, annotations.labels)),
        annotations.names,
    )
    assert audited(twice, beliefs).crowd is None


@pytest.mark.parametrize("finder", list(Finder))
def test_what_a_person_put_right_is_not_suspected_again(finder):
    annotations, beliefs, _, _ = crowded(3)
    audit = audited(annotations, beliefs, finder)
    suspects = np.flatnonzero(audit.findings.is_suspect)[:20]
    certain = np.isin(np.arange(NUM), suspects)
    sure = replace(audit, certain=certain)
    assert not sure.findings.is_suspect[suspects].any()
    assert (sure.findings.classes[suspects, audit.labels[suspects]] == 1).all()
    assert sorted(sure.findings.ranks[suspects]) == list(range(NUM - 19, NUM + 1))
    assert sorted(sure.findings.ranks) == list(range(1, NUM + 1))


def test_confident_learning_asks_nobody():
    annotations, beliefs, _, _ = crowded(3)
    audit = audited(annotations, beliefs, Finder.confident)
    assert audit.crowd is None


def test_where_no_item_has_two_labels_anchors_tell_which_are_wrong():
    annotations, beliefs, _, _ = crowded(1)
    audit = audited(annotations, beliefs)
    alone = replace(audit, annotations=None)
    assert audit.crowd is None
    assert np.array_equal(audit.findings.is_suspect, alone.findings.is_suspect)


def test_a_run_learns_what_they_say_together(tmp_path, called):
    random = np.random.default_rng(0)
    lines = [
        f"{row},{who},{label}" for row in range(1437) for who, label in zip("ab", random.integers(0, 2, 2), strict=True)
    ]
    (tmp_path / "a.csv").write_text("row,annotator,label\n" + "\n".join(lines) + "\n")
    start(tmp_path / "run", "method=refine", "optim.max_steps=6", f"dataset.annotations={tmp_path}/a.csv")
    rows = list(csv.DictReader((tmp_path / "run/annotators.csv").open()))
    assert {row["annotator"] for row in rows} == {"a", "b"}
    of_items = list(csv.DictReader((tmp_path / "run/refined_labels.csv").open()))
    assert {(row["annotators"], row["agree"]) for row in of_items} == {("2", "0.5000"), ("2", "1.0000")}
    assert called("review", str(tmp_path / "run"))[0] == 0
    assert "annotators: 0 1, 1 1<br>" in (tmp_path / "run/review.html").read_text()
    assert "annotators.csv" in RunFolder.open(tmp_path / "run").manifest["files"]
    assert 0 < summary(tmp_path / "run")["metrics"]["labels/annotator_accuracy"] < 1
