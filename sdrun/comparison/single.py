"""A comparison of which each group is one run: a row a run or stage, a column a metric."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from sdrun.comparison.compare import Comparison, Row, compare
from sdrun.comparison.folders import Found
from sdrun.comparison.groups import STAGE
from sdrun.comparison.lagging import STUDENT
from sdrun.comparison.runs import Run
from sdrun.comparison.sentences import item_sentence, price
from sdrun.comparison.stages import baselines, places, seen_at
from sdrun.comparison.tables import Table, called, number, titled
from sdrun.judges.metric import Better, Metric, shown
from sdrun.settings.words import clock, printable

COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "as its teacher, %": ("test/teacher_agreement", lambda value: f"{100 * value:.2f}"),
    "parameters": ("model/parameters", lambda value: f"{value:,.0f}"),
    "multiply-adds": ("model/multiply_adds", lambda value: f"{value:,.0f}"),
    "kB": ("model/bytes", lambda value: f"{value / 1000:,.1f}"),
    "ms at 1": ("test/milliseconds_batch_1", lambda value: f"{value:.3f}"),
    "ms at 64": ("test/milliseconds_batch_64", lambda value: f"{value:.4f}"),
}
"""Of what networks cost: metrics, and how their numbers are written. Times are of an item, one or 64 at once."""

SPARE = ("ms at 64", "kB", "as its teacher, %")

RUN, DIFFERENCE, COST, TIME = "runs", "difference", "cost", "time"


def whole(run: Run) -> Comparison:
    """All that one run says of itself: its stages and further networks beside what it holds itself against."""
    kept = [f"test/{metric.name}" for metric in shown(run.declared)]
    seen = seen_at([run], [place for place in places(run) if place != STUDENT])
    metrics = [key for key in kept if any(other.metric(key) is not None for other in seen)]
    result = compare(Found(finished=seen), metrics, None, [], metrics[0] if metrics else None)
    for row in result.rows:
        row.is_beside |= bool(row.group.example.word)
    return result


def table(result: Comparison) -> Table:
    """All metrics, and of the primary one the difference from the baseline; the best value of each is marked."""
    titles = titles_of(result)
    primary, *others = titles.values()
    columns = [RUN, primary, DIFFERENCE, COST, TIME, *others]
    spare = (*reversed(others[1:]), TIME, *others[:1], COST)
    drawn = Table("On the test set", columns, left=(RUN,), spare=spare)
    for row in result.rows:
        values = [number(m, row.cells[key].mean) if key in row.cells else "" for key, m in result.metrics.items()]
        drawn.rows.append([row.name, values[0], _difference(result, row), *_cost(row), *values[1:]])
    drawn.best = {
        (place, titles[key]) for key, metric in result.metrics.items() for place in _best(result, key, metric)
    }
    return drawn


def costs(result: Comparison) -> Table | None:
    """What the networks cost by themselves, and how often each predicts as its teacher; None where no run says it."""
    rows = [[row.name, *_costs(row.group.example)] for row in result.rows]
    if not any(any(cells) for _, *cells in rows):
        return None
    return Table("What the networks cost", [RUN, *COLUMNS], rows, left=(RUN,), spare=SPARE)


def _costs(run: Run) -> Iterator[str]:
    for key, form in COLUMNS.values():
        value = run.metric(key)
        yield "" if value is None else form(value)


def titles_of(result: Comparison) -> dict[str, str]:
    """What the columns of the metrics are called, by their names."""
    return {key: titled(called(key, metric), metric) for key, metric in result.metrics.items()}


def headline(result: Comparison) -> str:
    """What the primary metric is called in a sentence."""
    metric = result.metrics[result.primary]
    title = called(result.primary, metric)
    if result.frontier:
        title += f" where {result.frontier.reached} is {result.frontier.told()}"
    return title


def sentences(result: Comparison) -> list[str]:
    """What the primary metric says of each run that is held against a baseline; all can be printed."""
    metric = result.metrics[result.primary]
    held = [row for row in result.rows if row.baseline and not row.is_beside and not _is_control(row)]
    held = [row for row in held if result.primary in row.cells]
    num_tests = sum(row.items is not None for row in held)
    lines = []
    for row in held:
        assert row.baseline
        base = row.baseline.example.metric(result.primary)
        if base is not None:
            gain = row.cells[result.primary].mean - base
            told = replace(metric, title=headline(result))
            lines.append(item_sentence(row.group.label, row.baseline.label, told, gain, row.items, num_tests))
    return list(map(printable, lines))


def _is_control(row: Row) -> bool:
    """Whether it is another of the stages that its run holds itself against."""
    return row.group.settings.get(STAGE) in baselines(row.group.example)


def _difference(result: Comparison, row: Row) -> str:
    metric = result.metrics[result.primary]
    if row.baseline is None or result.primary not in row.cells:
        return "baseline" if any(other.baseline is row.group for other in result.rows) else ""
    base = row.baseline.example.metric(result.primary)
    return "" if base is None else number(metric, row.cells[result.primary].mean - base, signed=True)


def _cost(row: Row) -> Iterator[str]:
    """Multiply-adds of training over those of the baseline, and its time."""
    times = price(row.group.runs, row.baseline.runs) if row.baseline else None
    yield "" if times is None else f"{times:.1f}x"
    seconds = row.group.example.summary.get("compute", {}).get("seconds")
    yield clock(seconds) if seconds and not row.group.example.word else ""


def _best(result: Comparison, key: str, metric: Metric) -> list[int]:
    """Rows with the best value, where not all have the same."""
    values = {place: row.cells[key].mean for place, row in enumerate(result.rows) if key in row.cells}
    if metric.better is Better.neither or len(set(values.values())) < 2:
        return []
    best = (max if metric.better is Better.higher else min)(values.values())
    return [place for place, value in values.items() if value == best]
