"""What is said of groups that are held against nothing, or against a baseline that had less."""

import json

from folders import made_run

from sdrun.comparison.asked import compared
from sdrun.comparison.differences import difference
from sdrun.comparison.rendering import by_metric, notes
from sdrun.judges.metric import Better, Metric


def test_a_fair_baseline_that_is_there_is_not_made_again(tmp_path):
    short, long = {"optim__max_steps": 30}, {"optim__max_steps": 75}
    for seed in (0, 1):
        made_run(tmp_path / f"a{seed}", seed, 0.8, **short)
        paths = [
            made_run(tmp_path / f"b{seed}", seed, 0.9, **long),
            made_run(tmp_path / f"c{seed}", seed, 0.85 + seed / 10, method="consistency", **short),
        ]
        for path in paths:
            summary = json.loads((path / "summary.json").read_text())
            summary["compute"]["multiply_adds"] = 2500
            (path / "summary.json").write_text(json.dumps(summary))
    result = compared([str(tmp_path)])
    told = notes(result)
    place = next(place for place, line in enumerate(told) if "2.5 times" in line)
    assert told[place].endswith("supervised optim.max_steps=75 had; to hold the others against it:")
    assert told[place + 1] == "  --baseline method=supervised optim.max_steps=75 --across optim.max_steps"
    idle = "supervised optim.max_steps=75: a baseline that no group is held against, for none has its optim.max_steps"
    assert idle in told
    options = {"baseline": {"method": "supervised", "optim.max_steps": "75"}, "across": ["optim.max_steps"]}
    asked = compared([str(tmp_path)], **options)
    assert not any("no group" in line or "A baseline that" in line for line in notes(asked))


def test_runs_without_a_baseline_have_no_empty_columns(tmp_path):
    for seed in (0, 1):
        made_run(tmp_path / f"a{seed}", seed, 0.8 + seed / 10)
    assert by_metric(compared([str(tmp_path)]))[0].columns == ["runs", "n", "mean ± sd"]


def test_two_seeds_do_not_say_how_many_would_be_needed():
    accuracy = Metric("accuracy", Better.higher, "%")
    pairs = {0: 0.9, 1: 0.7, 2: 0.8}
    told = [difference(accuracy, dict(list(pairs.items())[:n]), dict.fromkeys(pairs, 0.75)).verdict for n in (2, 3)]
    assert told[0] == "cannot tell with 2 seeds; 5 would tell more"
    assert told[1].startswith("cannot tell with 3 seeds; about ")
