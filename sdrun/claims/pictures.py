"""What is drawn of claims: their differences, and the best of each side for a budget."""

import numpy as np

from sdrun.claims.declaration import SIDES
from sdrun.claims.members import best
from sdrun.claims.verdicts import Judged
from sdrun.claims.words import titles
from sdrun.comparison import charts
from sdrun.comparison.forest import Line, forest, line
from sdrun.comparison.tables import titled
from sdrun.judges.metric import PERCENT

INK = "#808080"
"""Of pictures beside a page, which take no colour from it."""


def drawn(claims: list[Judged]) -> dict[str, str]:
    """Pictures beside a page of claims, as SVG that is readable on light and dark: by name, ``forest`` for all."""
    pictures = {claim.name: frontier(claim) for claim in claims}
    if rows := [line for claim in claims for line in lines(claim)]:
        titles = dict.fromkeys(titled(claim.claim.metric, claim.metric) for claim in claims)
        pictures["forest"] = forest(rows, f"difference in {' or '.join(titles)}")
    return {name: svg.replace("currentColor", INK) for name, svg in pictures.items() if svg}


def lines(claim: Judged) -> list[Line]:
    """Rows of a forest: every answer that the claim's metric gives."""
    return [
        line(f"{claim.name}: {title}", answer.difference, answer.margin)
        for name, title in titles(claim).items()
        if (answer := claim.answers[name]).difference and answer.margin is not None
    ]


def frontier(claim: Judged) -> str | None:
    """The metric of each side's best for a budget, over budgets, with the range of the seeds; None of no members."""
    sides = {}
    scale = 100 if claim.metric.unit == PERCENT else 1
    for side in SIDES:
        budgets = sorted(member.cost for member in claim.members if member.side == side)
        chosen = [member for budget in budgets if (member := best(claim.members, side, budget))]
        columns = [claim.values(member.name, claim.claim.metric, claim.claim.seeds) for member in chosen]
        seeds = sorted(set.intersection(*map(set, columns))) if columns else []
        if seeds:
            values = np.array([[scale * column[seed] for column in columns] for seed in seeds])
            sides[side] = (np.array(budgets) / claim.unit, values)
    if not sides:
        return None
    axis = "compute of training, in multiples of the cheapest"
    return charts.curves(sides, axis, titled(claim.claim.metric, claim.metric), marker="o", is_log=True)
