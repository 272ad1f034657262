"""``sdrun report RUN_OR_GLOB... -o report.html``: what a comparison, claim or ask gives, as one page."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sdrun import tools
from sdrun.comparison.asked import add_options

if TYPE_CHECKING:
    from sdrun.comparison.report import Section


def main(arguments: list[str]) -> None:
    """Raises InputError where there is nothing to compare, or runs that cannot be compared."""
    parser = tools.parser("report", __doc__)
    add_options(parser)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("report.html"), metavar="FILE", help="report.html if not said"
    )
    options = parser.parse_args(arguments)
    from sdrun.asks import folder as asks
    from sdrun.claims.folder import FILE
    from sdrun.comparison.report import render
    from sdrun.storage.files import write_bytes

    if all((Path(run) / FILE).exists() for run in options.runs):
        title, sections = _claims([Path(run) for run in options.runs])
    elif len(options.runs) == 1 and (Path(options.runs[0]) / asks.FILE).exists():
        title, sections = _ask(Path(options.runs[0]))
    else:
        title, sections = _comparison(options)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(options.output, render(title, sections).encode(errors="backslashreplace"))
    print(f"Report  {options.output}")


def _comparison(options: argparse.Namespace) -> tuple[str, list["Section"]]:
    from sdrun.comparison import basis, forest, rendering, report
    from sdrun.comparison.asked import answered
    from sdrun.comparison.tables import called, titled

    result = answered(options)
    rows = [row for row in result.rows if not row.is_beside]
    groups = {row.group.label: row.group.runs for row in rows}
    section = report.section("Comparison", rendering.shown(result), rendering.notes(result))
    section.lead = rendering.sentences(result)
    metric = result.metrics[result.primary]
    title = f"Differences in {titled(called(result.primary, metric), metric)}"
    section.wide = report.wide(forest.lines(result), title)
    drawn = [report.lines(result.frontier)] if result.frontier else []
    return basis.title(groups), [section, *drawn, *basis.whole(groups)]


def _ask(path: Path) -> tuple[str, list["Section"]]:
    from sdrun.asks import folder, page

    ask = folder.AskFolder.open(path)
    asked = ask.asked
    return f"sdrun ask: {ask.name}", page.sections(ask, asked)


def _claims(paths: list[Path]) -> tuple[str, list["Section"]]:
    from markupsafe import Markup

    from sdrun.claims import page
    from sdrun.claims.folder import find
    from sdrun.claims.pictures import frontier, lines
    from sdrun.claims.verdicts import judged
    from sdrun.claims.words import sentences
    from sdrun.comparison import basis, report
    from sdrun.comparison.tables import titled

    claims = judged(find(paths))
    sections = []
    for claim in claims:
        groups = {label: runs for arm, label in page.labels(claim).items() if (runs := claim.paired_runs(arm))}
        missing = [f"left out: {line}" for line in page.missing(claim)]
        section = report.section(claim.name, [page.answers(claim), page.arms(claim)], [*page.lags(claim), *missing])
        section.lead = [claim.claim.statement, *sentences(claim), page.setting(claim).replace("`", "")]
        section.wide = report.wide(lines(claim), f"Differences in {titled(claim.claim.metric, claim.metric)}")
        section.pictures = [Markup(svg)] if (svg := frontier(claim)) else []
        sections.append(section)
        if groups:
            sections += basis.whole(groups)
    return f"Claims: {', '.join(claim.name for claim in claims)}", sections
