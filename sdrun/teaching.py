"""What a run knows of the teachers of a stage that it is about to train."""

from collections.abc import Sequence

from sdrun.judges.metric import Metric
from sdrun.storage.stage import StageResult

MOST = 2
"""Metrics that are told of each stage."""


def announced(
    name: str,
    teachers: Sequence[str],
    results: Sequence[StageResult],
    untaught: Sequence[str],
    judged: Sequence[Metric],
) -> str | None:
    """A line that says how good a stage's teachers are on the validation split; None where not each was judged on it.

    ``teachers``: stages by name; ``results``: of the stages so far; ``untaught``: those of them that had no teacher,
    the last of which, beside the teachers, stands for what training alone gives; ``judged``: the headline first.
    """
    by_name = {result.name: result for result in results if result.steps}
    metrics = [metric for metric in judged if metric.shown][:MOST]
    keys = [f"val/{metric.name}" for metric in metrics]

    def values(stage: str) -> list[float]:
        """Nothing of a stage that was not judged on the validation split."""
        metrics_of = by_name[stage].metrics if stage in by_name else {}
        return [metrics_of[key] for key in keys] if keys and metrics_of.keys() >= set(keys) else []

    def numbers(stage: str) -> list[str]:
        return [metric.formatted(value) for metric, value in zip(metrics, values(stage), strict=True)]

    if not teachers or not all(map(values, teachers)):
        return None
    first, *others = teachers
    best = ", ".join(f"{key} {number}" for key, number in zip(keys, numbers(first), strict=True))
    if others:
        members = "".join(f" and {other} ({', '.join(numbers(other))})" for other in others)
        line = f"{name} learns from the ensemble of {first} ({best}){members}"
    else:
        line = f"{name} learns from {first}: {best}"
    alone = [stage for stage in untaught if stage not in teachers and values(stage)]
    if alone:
        line += f"; alone, {alone[-1]} has {', '.join(numbers(alone[-1]))}"
        if not others and metrics[0].is_better(values(first)[0] - values(alone[-1])[0]) is False:
            line += f": no gap in {keys[0]}"
    return line
