"""``sdrun compare RUN_OR_GLOB...``: what runs give against a baseline, and whether that is more than noise."""

import argparse
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Raises InputError where there is nothing to compare, or runs that cannot be compared."""
    parser = argparse.ArgumentParser(prog="sdrun compare", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN_OR_GLOB", help="run folders, or folders with runs below them")
    parser.add_argument(
        "--baseline", nargs="+", metavar="KEY=VALUE", help="settings of the baseline; method=supervised if not said"
    )
    parser.add_argument(
        "--primary", metavar="METRIC", help="the one that is judged; the foremost of the runs if not said"
    )
    parser.add_argument(
        "--metric", nargs="+", metavar="METRIC", help="shown beside it, such as test/nll, or STAGE:test/nll"
    )
    parser.add_argument("--across", nargs="+", default=[], metavar="KEY", help="settings that may differ; else refused")
    parser.add_argument(
        "--stages", nargs="*", metavar="STAGE", help="runs at each of their stages, or at these, such as ensemble"
    )
    parser.add_argument("--where", nargs="+", default=[], metavar="KEY=VALUE", help="only runs with these settings")
    parser.add_argument("--format", choices=["md", "csv", "json", "html"], help="instead of tables for a terminal")
    options = parser.parse_args(arguments)
    from sdrun.claims.folder import FILE
    from sdrun.comparison import rendering, tables
    from sdrun.comparison.compare import compare
    from sdrun.comparison.groups import STAGE, is_alone
    from sdrun.comparison.runs import find
    from sdrun.comparison.stages import seen_at
    from sdrun.errors import InputError
    from sdrun.settings.words import filters

    for run in options.runs:
        if (Path(run) / FILE).exists():
            raise InputError(f"{run} is a claim; see: sdrun claims {run}, or name arms of it, such as {run}/method")
    wanted = filters(options.where, "--where")
    baseline = filters(options.baseline, "--baseline") if options.baseline else None
    runs = find(options.runs)
    runs.finished = [run for run in runs.finished if run.matches(wanted)]
    if options.stages is not None or STAGE in (baseline or {}) or is_alone(runs.finished):
        runs.finished = seen_at(runs.finished, options.stages or [])
    runs.unfinished = [run for run in runs.unfinished if run.matches(wanted)]
    result = compare(runs, options.metric, baseline, options.across, options.primary)
    if options.format:
        print(rendering.text(result, options.format))
        tables.aside(rendering.notes(result) if options.format == "csv" else [])
        return
    console = tables.console()
    for sentence in rendering.sentences(result):
        tables.line(sentence, console)
    for table in rendering.shown(result):
        tables.show(table, console)
    for note in rendering.notes(result):
        tables.note(note, console)
