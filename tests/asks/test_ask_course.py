"""The course of an ask whose runs no training made: kills, budgets that end, failures."""

import json
import random
import re

import pytest
from folders import made_run

from sdrun.asks.measuring import Measured
from sdrun.asks.plan import Pace
from sdrun.errors import OutOfTime, RunError
from sdrun.sweeps.making import Making

WORDS = ["ask", "dataset=digits", "dataset.num_labels=100", "--compare", "mean_teacher,freematch", "-o", "one"]
COSTS = {"plain": 1000, "mean_teacher": 3000, "freematch": 5000}
NOISE = [0.0, 0.004, -0.003, 0.002, -0.004, 0.001, 0.003, -0.002]
HELPS = {"mean_teacher": 0.03, "freematch": 0.05}


class Maker:
    """Makes runs in no time. ``gains``: in accuracy, by arm; after ``left`` of them it raises ``stop``."""

    def __init__(self, gains, left=10**6, stop=KeyboardInterrupt, failing="-"):
        self.gains, self.left, self.stop, self.failing, self.num = gains, left, stop, failing, 0

    def make(self, making, jobs, at_most=None):
        for place in jobs:
            if (making.folder.path / place).exists():
                continue
            if self.failing in place:
                raise RunError(f"1 of {len(jobs)} runs failed: {place}")
            if self.left == 0:
                raise self.stop
            self.left, self.num = self.left - 1, self.num + 1
            self._run(making.folder.path / place, *place.rsplit("/", 1))

    def _run(self, path, arm, seed):
        number, name = int(seed.removeprefix("seed_")), arm.removeprefix("tuning/")
        side = next((side for side in COSTS if name.startswith(side)), "plain")
        gain = self.gains.get(name, 0.0 if name.endswith("_equal") else self.gains.get(side, 0.0))
        accuracy = 0.8 + gain + NOISE[number % 8] + NOISE[(number + len(arm)) % 8] / 3 + number % 3 * 1e-4
        made_run(path, number, accuracy, metrics={"val/accuracy": accuracy})
        file = path / "summary.json"
        summary = json.loads(file.read_text())
        summary["compute"]["multiply_adds"] = COSTS[side]
        file.write_text(json.dumps(summary))


@pytest.fixture
def asking(called, monkeypatch):
    """``sdrun ask`` with a maker; gives the exit code, what was printed, and what ``ask.json`` has."""

    def measured(sides, *_):
        return Measured(0.01, 0.01, Pace({name: COSTS[name] / 1000 for name in sides}, {}, 2), {})

    monkeypatch.setattr("sdrun.asks.sweep.measured", measured)

    def ask(maker, *words):
        monkeypatch.setattr(Making, "make", lambda making, jobs, at_most=None: maker.make(making, jobs))
        return called(*words)

    return ask


def content(tmp_path):
    return json.loads((tmp_path / "one/ask.json").read_text())


def decided(tmp_path):
    return {key: value for key, value in content(tmp_path).items() if key not in ("spent", "noted", "grants", "plan")}


GAINS = HELPS | {"mean_teacher_silent": 0.0, "freematch_silent": 0.01, "freematch_uninformed": 0.0}


def test_two_come_into_the_final_where_there_is_time(asking, tmp_path):
    code, text = asking(Maker(GAINS), *WORDS, "--budget", "24h")
    assert code == 0
    assert [name.split("_x")[0] for name in content(tmp_path)["finalists"]] == ["freematch", "mean_teacher"]
    assert {"plain", "now", "freematch", "freematch_equal", "mean_teacher"} <= {*content(tmp_path)["arms"]}
    assert "\nYes: freematch is better than the plain training that tuning chose by " in text
    assert re.search(r", for \d\.\d times the training compute and the same cost to serve", text)
    assert "It is better than itself with a teacher that knows nothing of the sample by " in text


def test_killed_at_any_moment_it_comes_to_the_same(asking, tmp_path):
    whole = Maker(GAINS)
    _, text = asking(whole, *WORDS, "--budget", "24h")
    before = decided(tmp_path)
    (tmp_path / "one").rename(tmp_path / "undisturbed")
    moments, words = random.Random(1), [*WORDS, "--budget", "24h"]
    for _ in range(2):
        assert asking(Maker(GAINS, moments.randrange(1, whole.num // 2)), *words)[0] == 130
        words = ["ask", "--resume", "one"]
    code, again = asking(Maker(GAINS), *words)
    assert code == 0
    assert decided(tmp_path) == before
    assert again.splitlines()[-10:] == text.splitlines()[-10:]


@pytest.mark.parametrize("left", [3, 90])
def test_a_budget_that_ends_anywhere_can_be_added_to(asking, tmp_path, left):
    code, text = asking(Maker(GAINS, left, OutOfTime), *WORDS, "--budget", "24h")
    assert code == 0
    assert "Time         is up; what ran is saved" in text or left > 100
    code, text = asking(Maker(GAINS), "ask", "--resume", "one", "--budget", "20h")
    assert code == 0
    assert "\nYes: freematch is better" in text
    assert "It is better than itself with its teacher's weight at zero" in text
    looks = content(tmp_path)["looks"]
    assert sum(look["share"] for look in looks) < 1
    assert [look["num"] for look in looks] == sorted({look["num"] for look in looks})


def test_time_that_was_added_before_a_kill_is_there_after_it(asking, tmp_path):
    small = [*WORDS[:-4], "--compare", "mean_teacher", "-o", "one"]
    nothing = {"mean_teacher": 0.0005}
    asking(Maker(nothing), *small, "--budget", "3m")
    num = content(tmp_path)["looks"][-1]["num"]
    assert asking(Maker(nothing, 0), "ask", "--resume", "one", "--budget", "20h")[0] == 130
    asking(Maker(nothing), "ask", "--resume", "one")
    assert content(tmp_path)["looks"][-1]["num"] > num


def test_where_a_control_fails_the_answer_is_told_all_the_same(asking):
    code, text = asking(Maker(GAINS, failing="freematch_silent"), *WORDS, "--budget", "24h")
    assert code == 1
    assert "\nYes: freematch is better" in text
    assert "runs failed: freematch_silent/seed_0" in text


def test_what_was_asked_stays_as_it_was(asking, tmp_path):
    asking(Maker(GAINS), *WORDS, "--budget", "24h")
    code, text = asking(Maker(GAINS), "resume", "one", "hydra.sweeper.goal=calibration")
    assert code == 2
    assert "one/ask.json: was asked with another goal, which is another question; ask anew" in text


def test_an_ask_of_somebody_else_leads_nowhere_else(asking, tmp_path):
    asking(Maker(GAINS), *WORDS, "--budget", "24h")
    file = tmp_path / "one/ask.json"
    file.write_text(json.dumps({**content(tmp_path), "arms": ["../../elsewhere"]}))
    code, text = asking(Maker(GAINS), "report", "one")
    assert code == 2
    assert "one holds no ask: ask.json names the arm ../../elsewhere, which is no folder of an ask" in text
