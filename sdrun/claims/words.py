"""What is said of claims in plain English."""

from sdrun.claims.answers import Answer
from sdrun.claims.declaration import BASELINE, DECIDING, EQUAL, more_than
from sdrun.claims.verdicts import Judged
from sdrun.comparison.rendering import numbers
from sdrun.comparison.sentences import sentence
from sdrun.settings.words import printable

QUESTIONS = {
    "helps": "helps",
    "equal_compute": "helps at equal compute",
    "alive": "alive",
    "informed": "informed",
    "more_than_labels": "more than labels",
}
CONTROLS = {
    "alive": "its teacher's weight at zero",
    "informed": "a teacher that knows nothing of the sample",
    "more_than_labels": "a teacher that knows the class alone",
}
"""What the method is held against, by the question."""


def titles(claim: Judged) -> dict[str, str]:
    """The questions that were asked, and what they are called: those of any claim, and those of its own."""
    own = {more_than(arm): f"more than {arm}".replace("_", " ") for arm in claim.claim.further}
    return {name: title for name, title in (QUESTIONS | own).items() if name in claim.answers}


def answer_line(claim: Judged) -> str:
    """One line: whether it helps, at what price, and what its teacher is."""
    line = " ".join(sentences(claim))
    link = f"**[{claim.name}](#{claim.name})**"
    return line.replace(claim.name, link, 1) if line.startswith(claim.name) else f"{link}: {line}"


def sentences(claim: Judged) -> list[str]:
    """The answers in plain English."""
    if not claim.chosen:
        return ["It is not tuned yet."]
    helps, equal = (claim.answers[name] for name in DECIDING)
    own = claim.name
    if helps.difference is None:
        return ["It is tuned; the paired seeds of its first look are not all finished."]
    told = [sentence(own, "the tuned baseline", helps.difference, price=claim.price, margin=helps.margin, plans=False)]
    if claim.chosen[EQUAL] == claim.chosen[BASELINE] and claim.is_extended:
        told.append("That is also the best baseline for as much compute, as longer training did not score higher")
    elif equal.difference:
        base = "the best baseline for as much compute"
        told.append(sentence("It", base, equal.difference, margin=equal.margin, plans=False))
    told.append(teacher(claim))
    if not claim.is_decided:
        is_over = claim.num_seeds >= claim.claim.most_seeds
        told.append(f"Not decided with {claim.num_seeds} seeds" + (", the most that were declared" if is_over else ""))
    return [printable(f"{part}.") for part in told]


def teacher(claim: Judged) -> str:
    """What its teacher is, by the controls."""
    alive, informed, more = (claim.answers.get(name) for name in ("alive", "informed", "more_than_labels"))
    assert alive
    if alive.difference is None:
        return "Whether its teacher makes a difference is not run yet"
    if alive.is_same:
        return "Its teacher makes no difference that matters"
    if not alive.is_different:
        return "That its teacher makes a difference is not shown"
    if not alive.is_better:
        return "Its teacher makes it worse"
    for control, meaning, who in (
        (informed, "works as a regulariser", CONTROLS["informed"]),
        (more, "works by its labels", CONTROLS["more_than_labels"]),
    ):
        if control and control.is_same:
            return f"It {meaning}: {who} does as well"
        if control and control.is_different and not control.is_better:
            return f"It {meaning}, and {who} does better"
        if control and not control.is_different:
            return f"Its teacher makes it better; whether it does better than with {who} is not shown"
    return "What its teacher knows counts" if informed else "Its teacher makes a difference"


def in_short(answer: Answer | None) -> str:
    """A verdict with its numbers."""
    if answer is None:
        return "not asked"
    if answer.difference is None:
        return "runs are missing"
    mean, interval, _ = numbers(answer.difference)
    verdict = "no difference that matters" if answer.is_same else answer.difference.outcome.value
    return f"{verdict}: {mean} {interval}"


def pays_from(claim: Judged) -> str:
    """From which budget on the method is better at each, in trainings of the baseline at its first length."""
    if not claim.ladder:
        return ""
    if claim.pays_from is None:
        return "not shown"
    return f"{claim.pays_from.budget / claim.unit:.1f}"


def of_all(claims: list[Judged]) -> str:
    """How many verdicts would stand if they were to hold for all claims together."""
    decided = stand = 0
    for claim in claims:
        for name in DECIDING:
            if claim.answers[name].is_decided:
                decided += 1
                stand += claim.answer(claim.answers[name].contrast, claim.level / len(claims)).is_decided
    return (
        f"Were the intervals of all {len(claims)} claims to hold together as well, {stand} of their {decided} verdicts "
        "on whether they help would stand."
    )
