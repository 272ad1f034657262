"""What is said of an ask, in plain English."""

import re
from dataclasses import replace

import pytest
from simulated import declared, drawn

from sdrun.asks.deciding import Look
from sdrun.asks.folder import AskFolder
from sdrun.asks.plan import Pace, planned
from sdrun.asks.sight import Sight
from sdrun.asks.words import answer, controls, plan_lines
from sdrun.claims.members import Member

PLAIN, NOW = [0.80, 0.81, 0.79, 0.80], [0.70, 0.72, 0.69, 0.71]
BETTER, OPEN, WORSE = [0.85, 0.865, 0.84, 0.852], [0.84, 0.86, 0.80, 0.87], [0.76, 0.765, 0.75, 0.762]
LOOKS = [Look(4, 0.8)]
SEEN = Sight("images of 1x8x8", 1000, 100, 10, 100, 360, 10, 10, "cnn", None)
SECONDS = {"plain": 2.0, "good": 5.0, "other": 5.0}


def member(name, cost):
    return Member(f"{name}_x1", name, 1.0, f"tuning/{name}_x1_00", [], 0.8, cost, {})


def said(state, names=("good",)):
    plan = planned(declared(), list(names), {}, Pace(SECONDS, {}, 2), 600)
    members = [member("good", 5.0), member("other", 5.0)]
    content = {
        "members": {one.name: one.to_json() for one in members},
        "finalists": [f"{name}_x1" for name in state.finalists],
        "grants": [600.0],
        "plan": plan.to_json(),
    }
    return answer(state, AskFolder(None, content), member("plain", 1.0))


@pytest.mark.parametrize(
    ("arms", "text"),
    [
        ({"good": BETTER, "good_equal": PLAIN}, "Yes: good is better than "),
        ({"good": BETTER}, "Yes, but not at equal compute as far as is known: good is better than "),
        (
            {"good": BETTER, "good_equal": OPEN},
            "Yes, but not at equal compute as far as is known: good is better than ",
        ),
        (
            {"good": BETTER, "good_equal": [0.9, 0.92, 0.889, 0.9]},
            "No: good is worse than plain training for as much compute by ",
        ),
        ({"good": WORSE}, "No: good is worse than the plain training that tuning chose by "),
        (
            {"good": OPEN},
            "Not decided within 10 min: good cannot be told from the plain training that tuning chose: ",
        ),
    ],
)
def test_the_answer_begins_with_its_word(arms, text):
    assert said(drawn(LOOKS, ["good"], plain=PLAIN, **arms)).startswith(text)


def test_the_price_is_told_and_what_is_better_besides():
    nll = [0.5, 0.52, 0.49, 0.51]
    calibrated = (BETTER, [value - 0.1 for value in nll[::-1]])
    state = drawn(LOOKS, ["good"], {}, plain=(PLAIN, nll), now=NOW, good=calibrated, good_equal=PLAIN)
    text = said(state)
    assert ", and better calibrated, for 5.0 times the training compute and the same cost to serve" in text
    assert text.endswith("; that plain training is itself 9.5 points better than what you have now.")


def test_of_several_methods_the_best_in_tuning_is_named():
    text = said(drawn(LOOKS, ["good"], plain=PLAIN, good=WORSE), ("good", "other"))
    assert text.startswith("No: good, of 2 methods the best in tuning, is worse than the plain training that")
    both = said(drawn(LOOKS, ["other", "good"], plain=PLAIN, good=WORSE, other=WORSE[::-1]), ("good", "other"))
    assert re.match(r"No: other, of 2 methods .*, 4 seeds, and good is worse than it by .*, 4 seeds\.", both)


def test_at_the_most_seeds_no_time_would_tell_more():
    state = drawn(LOOKS, ["good"], plain=PLAIN, good=OPEN)
    state.asked.most_seeds = 4
    assert said(state).startswith("Not decided with 4 seeds, the most that were asked for: good cannot be told")


def test_controls_are_told_as_far_as_they_were_asked():
    arms = {"plain": PLAIN, "good": BETTER, "good_equal": PLAIN, "good_silent": PLAIN, "good_uninformed": NOW}
    state = drawn(LOOKS, ["good"], {"good_silent": 4, "good_uninformed": 4}, **arms)
    lines = controls(state)
    assert [line.partition(" by ")[0] for line in lines] == [
        "It is better than plain training for as much compute",
        "It is better than itself with its teacher's weight at zero",
        "It is better than itself with a teacher that knows nothing of the sample",
    ]
    assert controls(drawn(LOOKS, ["good"], plain=PLAIN, good=WORSE)) == []


def test_the_plan_says_who_how_often_how_long_and_what_it_can_tell():
    asked = declared()
    left_out = {"drift": "for drift", "stream": "for drift"}
    plan = planned(asked, ["good", "other"], left_out, Pace(SECONDS, {}, 2), 3600)
    lines = plan_lines(asked, plan, replace(SEEN, at_once=2))
    assert lines[0].startswith(
        "tunes on seed 100 and 101, by val/accuracy: 12 trials each of plain training and good, other, "
        "then 4 trials each of plain training and the better 1 method 3 times as long; about "
    )
    assert lines[1].startswith("then runs the best of both on up to 20 paired seeds, about ")
    assert lines[2] == "a training takes: plain 2 s, good 5 s, other 5 s; 2 jobs at once"
    assert lines[3] == "leaves out drift, stream (for drift)"
    assert lines[4].startswith("60 min tell differences of about ")
