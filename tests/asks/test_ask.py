"""``sdrun ask`` from its first look to its answer, on networks that learn for less than a second."""

import contextlib
import io
import json
import re

import pytest

from helpers import SMALL
from sdrun import cli, job
from sdrun.asks.measuring import Measured
from sdrun.asks.plan import Pace
from sdrun.errors import OutOfTime
from sdrun.sweeps.arms import Arms
from sdrun.tools.ask import seconds

WORDS = [
    *(word for word in SMALL if not word.startswith(("pictures", "optim.epochs", "dataset.val_size"))),
    "dataset.val_size=40",
    "dataset.num_labels=40",
    "optim.epochs=2",
    "hydra/launcher=serial",
    "hydra.sweeper.trials=4",
    "hydra.sweeper.seeds=3",
    "hydra.sweeper.most_seeds=3",
    "hydra.sweeper.lengths=[1]",
    "hydra.sweeper.tuning_seeds=[100]",
]
ASK = ["ask", *WORDS, "--compare", "mean_teacher", "--budget", "1h", "-o", "one"]
TIMES = ("spent", "noted", "sight")


def decided(folder):
    """What an ask has come to, without what it took."""
    content = json.loads((folder / "ask.json").read_text())
    return {key: value for key, value in content.items() if key not in (*TIMES, "plan")}


@pytest.fixture
def undisturbed(tmp_path_factory):
    """The folder of an ask that ran to its end, and what it printed."""
    place, text = tmp_path_factory.mktemp("asked"), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(text),
        contextlib.redirect_stderr(text),
    ):
        patch.chdir(place)
        patch.setenv(job.FULL_ERROR, "0")
        patch.setattr("sys.argv", ["sdrun", *ASK])
        assert cli.main() == 0
    return place / "one", text.getvalue()


def last_lines(text):
    """What stands behind the last run's end."""
    return text[text.rindex("TensorBoard ") :].splitlines()[1:]


def says_what_it_sees_plans_and_finds(folder, text):
    saw = [line.removeprefix("Saw").strip() for line in text.splitlines() if line.startswith("Saw")]
    assert saw[:3] == [
        "120 images of 1x8x8 for training, 40 for validation, 360 to test",
        "10 classes; 40 labels, 33.3 %, 4 of each",
        "labels: how many are wrong a quick look cannot tell",
    ]
    assert saw[3] == "network: cnn, 2,080 parameters"
    assert re.fullmatch(r"a step of plain training: [\d.]+ ms by itself", saw[4])
    plan = [line.removeprefix("Plan").strip() for line in text.splitlines() if line.startswith("Plan")]
    assert plan[0].startswith("tunes on seed 100, by val/accuracy: 4 trials each of plain training and mean_teacher;")
    assert "3 paired seeds" in plan[1]
    assert re.fullmatch(
        r"\d+ (min|h) tell differences of about [\d.]+ points; 0.5 would take more than 3 seeds", plan[-1]
    )

    answer, *rest = last_lines(text)
    assert re.match(r"(Yes|No|Not decided with 3 seeds, the most that were asked for)\b.*: mean_teacher ", answer)
    assert [line.split()[0] for line in rest[-3:]] == ["Run", "Alone", "Report"]
    page = (folder / "report.html").read_text()
    assert answer.split(":")[1][:40] in page
    assert page.count("<svg") > 2
    assert not re.search(r'(src|href)="http', page)


def has_as_many_trials_of_every_side_and_every_arm_of_every_seed(folder):
    content = json.loads((folder / "ask.json").read_text())
    trials = {side: len(list(folder.glob(f"tuning/{side}_x1_*"))) for side in ("plain", "mean_teacher")}
    assert trials == {"plain": 4, "mean_teacher": 4}
    for arm in content["arms"]:
        assert {path.name for path in (folder / arm).iterdir()} == {"seed_0", "seed_1", "seed_2"}
    assert content["members"]["plain_x1"]["tried"].keys() >= {""}  # as the command line has it
    costs = {name: member["cost"] for name, member in content["members"].items()}
    assert costs["mean_teacher_equal"] == pytest.approx(costs["mean_teacher_x1"], rel=0.1)


@pytest.fixture
def unmeasured(monkeypatch):
    """Nothing is tried for a few steps, which takes seconds."""
    timing = Measured(0.01, 0.01, Pace({"plain": 1.0, "mean_teacher": 2.0}, {}, 1), {})
    monkeypatch.setattr("sdrun.asks.sweep.measured", lambda *_: timing)


def test_it_goes_from_its_first_look_to_its_answer_which_is_told_again(undisturbed, called, monkeypatch):
    folder, text = undisturbed
    says_what_it_sees_plans_and_finds(folder, text)
    has_as_many_trials_of_every_side_and_every_arm_of_every_seed(folder)

    monkeypatch.chdir(folder.parent)
    before = decided(folder)
    code, again = called("ask", "--resume", "one")
    assert code == 0
    assert decided(folder) == before
    assert again.splitlines()[-4:] == text.splitlines()[-4:]
    assert called("report", "one", "-o", "page.html")[0] == 0
    assert (folder.parent / "page.html").read_text() == (folder / "report.html").read_text()


def test_a_budget_that_ends_on_the_way_is_told_and_can_be_added_to(unmeasured, tmp_path, called, monkeypatch):

    def is_over(self, jobs):
        raise OutOfTime("the time is up")

    monkeypatch.setattr(Arms, "make", is_over)
    code, text = called(*ASK)
    assert code == 0
    assert "Not decided: the time was up before the first look. Go on with: sdrun ask --resume one --budget 1h" in text
    assert "one: has no look at paired seeds yet; go on by: sdrun ask --resume one" in called("report", "one")[1]
    called("ask", "--resume", "one", "--budget", "30m")
    assert json.loads((tmp_path / "one/ask.json").read_text())["grants"] == [3600, 1800]
    called("ask", "--resume", "one")
    assert json.loads((tmp_path / "one/ask.json").read_text())["grants"] == [3600, 1800]


def test_a_dry_run_leaves_nothing(unmeasured, tmp_path, called):
    code, text = called(*ASK, "--dry-run")
    assert code == 0
    assert "Plan" in text
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--budget", "soon"], "--budget: soon is no time; write it as 30m, 2h or 1h30m"),
        ([], "--budget: is missing; say how much time there is, such as --budget 2h"),
        (
            ["--budget", "2h", "--compare", "nobody"],
            "--compare: nobody is no method; there are freematch, mean_teacher",
        ),
        (["--budget", "2h", "--goal", "fame"], "--goal: fame is none; choose accuracy, calibration, labels or compute"),
        (["--budget", "2h", "dataset.val_size=0"], "dataset.val_size: is 0, and trials are chosen by validation"),
        (
            ["--budget", "5s", "--compare", "mean_teacher"],
            "--budget: is too small for 3 paired seeds of plain training and one method; give it",
        ),
        (["--budget", "2h", "--goal", "labels"], "--goal: labels needs items without a label"),
        (["--resume", "nowhere"], "--resume: goes on with what was asked; leave all else out"),
        (
            ["--budget", "2h", "dataset/stream=class_frequency", "dataset.num_labels=100"],
            "dataset.stream: changes what there is to learn",
        ),
        (["--budget", "2h", "seed=1,2"], "seed=1,2: gives several values, and an ask is of one"),
        (["--budget", "2h", "dataset.num_labels=20"], "dataset.num_labels: has 2 labels of "),
        (["--budget", "2h", "--goal", "compute", "model.widths=[8]"], "--goal: compute cannot be asked of this"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_runs(words, fault, unmeasured, tmp_path, called):
    model = [] if "model=mlp" in words else ["model.widths=[8,8]"]
    code, text = called("ask", "dataset=digits", *model, "hydra/launcher=serial", *words)
    assert code == 2
    assert text.splitlines()[-1].startswith(f"sdrun: {fault}")
    assert not list(tmp_path.rglob("seed_*"))


def test_what_is_no_ask_cannot_be_gone_on_with(tmp_path, called):
    text = called("ask", "--resume", "nowhere")[1]
    assert "--resume: nowhere holds no ask; begin one by: sdrun ask KEY=VALUE --budget 2h" in text


def test_times_are_written_as_people_do():
    assert [seconds(time) for time in ("90s", "30m", "2h", "1h30m", "1.5h", "1d")] == [
        90,
        1800,
        7200,
        5400,
        5400,
        86400,
    ]
