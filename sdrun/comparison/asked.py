"""What a person asks of runs on the command line, and the comparison that answers it."""

import argparse
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrun.comparison.compare import Comparison
    from sdrun.comparison.frontier import Axes

OLD_AND_NEW = ("test/old/accuracy", "test/new/accuracy")
"""What is kept of what was learned before, and what is reached of what is new."""

NOTHING: Mapping[str, str] = MappingProxyType({})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which runs, at which of their stages, against which baseline, by which metric."""
    parser.add_argument("runs", nargs="+", metavar="RUN_OR_GLOB", help="run folders, or folders with runs below them")
    parser.add_argument(
        "--baseline",
        nargs="+",
        metavar="KEY=VALUE",
        help="settings of the baseline, or stage=NAME; method=supervised if not said, of one run's stages its own",
    )
    parser.add_argument(
        "--stages", nargs="*", metavar="STAGE", help="runs at each of their stages, or at these, such as ensemble"
    )
    parser.add_argument(
        "--primary", metavar="METRIC", help="the one that is judged; the foremost of the runs if not said"
    )
    parser.add_argument(
        "--metric", nargs="+", metavar="METRIC", help="shown beside it, such as test/nll, or STAGE:test/nll"
    )
    parser.add_argument("--across", nargs="+", default=[], metavar="KEY", help="settings that may differ; else refused")
    parser.add_argument(
        "--frontier",
        nargs="*",
        metavar="METRIC",
        help="how much of a first metric methods keep where they reach as much of a second, over all optim.* that was "
        "tried; test/old/accuracy test/new/accuracy if not said",
    )
    parser.add_argument("--at", type=float, metavar="LEVEL", help="of the second; the most that all reach if not said")
    parser.add_argument("--where", nargs="+", default=[], metavar="KEY=VALUE", help="only runs with these settings")


def answered(options: argparse.Namespace) -> "Comparison":
    """Raises as ``compared``."""
    from sdrun.settings.words import filters

    wanted = filters(options.where, "--where")
    baseline = filters(options.baseline, "--baseline") if options.baseline else None
    return compared(
        options.runs,
        metrics=options.metric,
        baseline=baseline,
        across=options.across,
        primary=options.primary,
        stages=options.stages,
        wanted=wanted,
        frontier=_frontier(options),
    )


def _frontier(options: argparse.Namespace) -> "Axes | None":
    """Two metrics and a level, if any. Raises InputError where there are others, or a level of none."""
    from sdrun.comparison.frontier import Axes
    from sdrun.errors import require

    if options.frontier is None:
        require(options.at is None, "--at", "is of a frontier; say --frontier, too")
        return None
    names = options.frontier or OLD_AND_NEW
    require(len(names) == 2, "--frontier", "needs two metrics, what is kept and what is reached")
    require(options.primary is None, "--primary", "is the first metric of --frontier; leave this out")
    return Axes(names[0], names[1], options.at)


def compared(
    places: Sequence[str],
    metrics: list[str] | None = None,
    baseline: dict[str, str] | None = None,
    across: Sequence[str] = (),
    primary: str | None = None,
    stages: Sequence[str] | None = None,
    wanted: Mapping[str, str] = NOTHING,
    frontier: "Axes | None" = None,
) -> "Comparison":
    """The runs at ``places`` with the settings ``wanted``; the rest as ``compare`` has it.

    ``stages``: those that runs are seen at, all of them if none are named; None: only where runs of one group are all
    there is, or a stage is the baseline. Raises InputError where there is nothing to compare, or runs that cannot be
    compared.
    """
    from sdrun.comparison.compare import compare
    from sdrun.comparison.folders import find
    from sdrun.comparison.groups import STAGE, is_alone
    from sdrun.comparison.stages import seen_at

    runs = find(places)
    runs.finished = [run for run in runs.finished if run.matches(wanted)]
    runs.unfinished = [run for run in runs.unfinished if run.matches(wanted)]
    if stages is not None or STAGE in (baseline or {}) or (is_alone(runs.finished) and not frontier):
        runs.finished = seen_at(runs.finished, stages or [])
    return compare(runs, metrics, baseline, list(across), primary, frontier)
