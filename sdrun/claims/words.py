"""What is said of claims in plain English."""

from sdrun.claims.declaration import BASELINE, DECIDING, EQUAL
from sdrun.claims.verdicts import Answer, Judged
from sdrun.comparison.rendering import numbers
from sdrun.comparison.sentences import sentence
from sdrun.comparison.statistics import LEVEL
from sdrun.settings.words import printable


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
        return ["It is tuned; the paired seeds of its first look are not all there."]
    told = [sentence(own, "the tuned baseline", helps.difference, price=claim.price, margin=helps.margin)]
    if claim.chosen[EQUAL] == claim.chosen[BASELINE]:
        told.append("That is also the best baseline for as much compute, as longer training did not score higher")
    elif equal.difference:
        base = "the best baseline for as much compute"
        told.append(sentence("it", base, equal.difference, margin=equal.margin).capitalize())
    told.append(claim.meaning[0].upper() + claim.meaning[1:])
    if not claim.is_decided:
        is_over = claim.num_seeds >= claim.claim.most_seeds
        told.append(f"Not decided with {claim.num_seeds} seeds" + (", the most that were declared" if is_over else ""))
    return [printable(f"{part}.") for part in told]


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
        return "no budget here"
    return f"{claim.pays_from.budget / unit(claim):.1f}"


def unit(claim: Judged) -> float:
    """Multiply-adds of the baseline at its first length."""
    return min((member.cost for member in claim.members if member.side == BASELINE), default=1.0)


def of_all(claims: list[Judged]) -> str:
    """How many verdicts would stand if they were to hold for all claims together."""
    decided = stand = 0
    for claim in claims:
        questions = claim.claim.questions()
        for name in DECIDING:
            if claim.answers[name].is_decided:
                decided += 1
                stand += claim.answer(questions[name], LEVEL / len(questions) / len(claims)).is_decided
    return (
        f"Were the intervals of all {len(claims)} claims to hold together as well, {stand} of their {decided} verdicts "
        "on whether they help would stand."
    )
