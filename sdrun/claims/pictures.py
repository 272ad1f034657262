"""What is drawn of claims: their differences, and the best of each side for a budget."""

import numpy as np

from sdrun.claims.declaration import SIDES
from sdrun.claims.members import best
from sdrun.claims.verdicts import Judged
from sdrun.comparison import charts
from sdrun.comparison.tables import titled
from sdrun.judges.metric import PERCENT

QUESTIONS = {
    "helps": "helps",
    "equal_compute": "helps at equal compute",
    "alive": "alive",
    "informed": "informed",
    "more_than_labels": "more than labels",
}
INK = "#808080"
"""Of pictures beside a page, which take no colour from it."""


def forest(claims: list[Judged]) -> str | None:
    """Every answer of claims that one metric decides, as SVG; None where there is none."""
    rows = [
        charts.line(f"{claim.name}: {title}", answer.difference, answer.margin)
        for claim in claims
        for name, title in QUESTIONS.items()
        if (answer := claim.answers.get(name)) and answer.difference and answer.margin is not None
    ]
    if not rows:
        return None
    titles = dict.fromkeys(titled(claim.claim.metric, claim.metric) for claim in claims)
    return charts.forest(rows, f"difference in {' or '.join(titles)}")


def frontier(claim: Judged) -> str | None:
    """The metric of each side's best for a budget, over budgets, with the range of the seeds; None of no members."""
    lines = {}
    scale = 100 if claim.metric.unit == PERCENT else 1
    unit = min((member.cost for member in claim.members), default=1.0)
    for side in SIDES:
        budgets = sorted(member.cost for member in claim.members if member.side == side)
        chosen = [member for budget in budgets if (member := best(claim.members, side, budget))]
        columns = [claim.values(member.name, claim.claim.metric, claim.claim.seeds) for member in chosen]
        seeds = sorted(set.intersection(*map(set, columns))) if columns else []
        if seeds:
            values = np.array([[scale * column[seed] for column in columns] for seed in seeds])
            lines[side] = (np.array(budgets) / unit, values)
    if not lines:
        return None
    axis = "multiply-adds of training, in those of the cheapest"
    return charts.curves(lines, axis, titled(claim.claim.metric, claim.metric), marker="o", is_log=True)


def beside_a_page(svg: str) -> str:
    """A picture as a file of its own, readable on light and dark."""
    return svg.replace("currentColor", INK)
