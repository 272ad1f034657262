"""An ask as a page: the answer, the differences, what was tried, and on what it rests."""

from collections.abc import Mapping
from statistics import mean

import numpy as np
from markupsafe import Markup

from sdrun.asks.declaration import PLAIN, Asked
from sdrun.asks.folder import AskFolder
from sdrun.asks.pairs import NOW, Pairs, equal_arm
from sdrun.asks.plan import Plan
from sdrun.asks.reading import pairs, runs
from sdrun.asks.sight import from_json as sight_from
from sdrun.asks.words import answer, controls, plan_lines
from sdrun.claims.answers import Answer
from sdrun.claims.members import Member, from_json
from sdrun.comparison import basis, charts, forest, report
from sdrun.comparison.differences import cell
from sdrun.comparison.rendering import mean_sd, numbers
from sdrun.comparison.report import Section
from sdrun.comparison.runs import Run
from sdrun.comparison.tables import Table, number, titled
from sdrun.errors import require
from sdrun.judges.metric import PERCENT, lookup, shown
from sdrun.settings.words import printable

WHAT = {
    PLAIN: "plain training, as tuning chose it",
    NOW: "plain training as asked",
}


def sections(folder: AskFolder, asked: Asked) -> list[Section]:
    """Of an ask that has been looked at once. Raises InputError where a run cannot be read."""
    state, every = pairs(folder, asked), runs(folder, asked)
    again = f"has no look at paired seeds yet; go on by: sdrun ask --resume {folder.path}"
    require(bool(state.looks), printable(str(folder.path)), printable(again))
    members = {member.name: member for member in from_json(folder.content["members"])}
    title = titled(asked.yardstick.metric, state.metric)
    first = report.section("Does it help?", [_answers(state), _arms(state, every)], [])
    first.lead = [answer(state, folder, members[folder.content["plain"]]), *controls(state)]
    first.wide = report.wide(_lines(state), f"Differences in {title}")
    first.pictures = [Markup(_frontier(state, every, title))]
    seen, plan = sight_from(folder.content["sight"]), Plan(**folder.content["plan"])
    planned = plan_lines(asked, plan, seen)
    tried = report.section("What was tried", [_tried(asked, state, list(members.values()))], [*seen.lines(), *planned])
    return [first, tried, *basis.whole(every)]


def _questions(state: Pairs) -> dict[str, Answer]:
    """All that has an answer, by what it is called."""
    named = {f"{name} - {PLAIN}": reply for name, reply in state.helps.items()}
    if state.improved:
        named[f"{PLAIN} - {NOW}"] = state.improved
    for name, reply in state.helps.items():
        if reply.is_better and (at_equal := state.equal(name)):
            named[f"{name} - {equal_arm(name)}"] = at_equal
    further = state.further(state.winner) if state.winner else {}
    named |= {f"{state.winner} - {arm}": reply for arm, reply in further.items() if arm != "beside"}
    return {name: reply for name, reply in named.items() if reply.difference}


def _lines(state: Pairs) -> list[forest.Line]:
    questions = _questions(state).items()
    return [forest.line(name, reply.difference, reply.margin) for name, reply in questions if reply.difference]


def _answers(state: Pairs) -> Table:
    """Every difference that was asked for, with its interval."""
    table = Table(
        "", ["difference of", "mean", "interval", "in sd", "seeds", "verdict"], left=("difference of", "verdict")
    )
    for name, reply in _questions(state).items():
        assert reply.difference
        verdict = "no difference that matters" if reply.is_same else reply.difference.outcome.value
        table.rows.append([name, *numbers(reply.difference), str(reply.difference.paired.n), verdict])
    return table


def _arms(state: Pairs, every: Mapping[str, Mapping[int, Run]]) -> Table:
    """Mean and standard deviation over paired seeds; compute in trainings as asked."""
    metrics = {f"test/{metric.name}": metric for metric in shown(state.declared)}
    metrics = {state.asked.yardstick.metric: state.metric, **metrics}
    titles = [titled(key, metric) for key, metric in metrics.items()]
    table = Table("", ["runs", "n", *titles, "compute", "seconds"], left=("runs",))
    costs = {arm: _compute(of_seeds) for arm, of_seeds in every.items()}
    unit = costs.get(NOW) or costs[PLAIN]
    for arm, of_seeds in every.items():
        cells = []
        for key, metric in metrics.items():
            values = {seed: value for seed, run in of_seeds.items() if (value := run.metric(key)) is not None}
            cells.append(mean_sd(metric, over_seeds) if (over_seeds := cell(values)) else "")
        seconds = mean(float(run.summary["wall_seconds"]) for run in of_seeds.values())
        name = f"{arm}: {WHAT[arm]}" if arm in WHAT else arm
        table.rows.append([name, str(len(of_seeds)), *cells, f"{costs[arm] / unit:.1f}", f"{seconds:.0f}"])
    return table


def _compute(of_seeds: Mapping[int, Run]) -> float:
    return mean(float(run.summary["compute"]["multiply_adds"]) for run in of_seeds.values())


def _frontier(state: Pairs, every: Mapping[str, Mapping[int, Run]], title: str) -> str:
    """What decides, over compute: plain training as asked, as it was found, and for as much compute; and finalists."""
    scale = 100 if state.metric.unit == PERCENT else 1
    unit = _compute(every.get(NOW, every[PLAIN]))
    plain = (NOW, PLAIN, *map(equal_arm, state.finalists))
    sides = {"plain": plain, **{name: (name,) for name in state.finalists}}
    lines = {}
    for name, arms in sides.items():
        there = sorted((arm for arm in arms if arm in every), key=lambda arm: _compute(every[arm]))
        columns = [state.values(arm, state.asked.yardstick.metric, state.asked.most_seeds) for arm in there]
        seeds = sorted(set.intersection(*map(set, columns)))
        places = np.array([_compute(every[arm]) / unit for arm in there])
        lines[name] = (places, np.array([[scale * column[seed] for column in columns] for seed in seeds]))
    return charts.curves(lines, "compute of training, in multiples of what was asked", title, marker="o", is_log=True)


def _tried(asked: Asked, state: Pairs, members: list[Member]) -> Table:
    """Every trial with what it was chosen by, the best of a side and length first."""
    metric = lookup(asked.yardstick.choose_by, state.declared)
    table = Table("", ["side", titled(asked.yardstick.choose_by, metric), "settings"], left=("side", "settings"))
    for member in members:
        ranked = sorted(member.tried.items(), key=lambda one: one[1], reverse=metric.is_better(1) is not False)
        side = f"{member.side}, {member.length:.3g} times as long" if member.length != 1 else member.side
        table.rows += [[side, number(metric, score), words or "as asked"] for words, score in ranked]
    return table
