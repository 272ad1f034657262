"""Claims in a terminal: the answers first, then what they rest on. What was tried is on the page alone."""

from rich.console import Console

from sdrun.claims.declaration import more_than
from sdrun.claims.page import answers, arms, lags, missing, setting
from sdrun.claims.verdicts import Judged
from sdrun.claims.words import CONTROLS, of_all, sentences, titles
from sdrun.comparison import tables


def show(claims: list[Judged], console: Console) -> None:
    for number, claim in enumerate(claims):
        if number:
            console.print()
        tables.line(answer(claim), console, "bold")
    if len(claims) > 1:
        tables.note(of_all(claims), console)
    for claim in claims:
        console.print()
        tables.line(f'{claim.name}, the claim: "{claim.claim.statement}"', console)
        for table in (answers(claim), arms(claim)):
            if table.rows:
                tables.show(table, console)
        controls = CONTROLS | {more_than(arm): " ".join(more) for arm, more in claim.claim.further.items()}
        asked = [f"{title}: against {controls[name]}" for name, title in titles(claim).items() if name in controls]
        for note in (f"{'; '.join(asked)}.", setting(claim).replace("`", ""), *lags(claim), *missing(claim)):
            tables.note(note, console)


def answer(claim: Judged) -> str:
    """What is said of a claim, which it begins with the name of."""
    told = " ".join(sentences(claim))
    return told if told.startswith(claim.name) else f"{claim.name}: {told}"
