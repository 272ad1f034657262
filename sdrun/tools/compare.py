"""``sdrun compare RUN_OR_GLOB...``: what runs give against a baseline, and is it more than noise?"""

from pathlib import Path

from sdrun import tools
from sdrun.comparison.asked import add_options


def main(arguments: list[str]) -> None:
    """Raises InputError where there is nothing to compare, or runs that cannot be compared."""
    parser = tools.parser("compare", __doc__)
    add_options(parser)
    parser.add_argument("--format", choices=["md", "csv", "json", "html"], help="instead of tables for a terminal")
    options = parser.parse_args(arguments)
    from sdrun.claims.folder import FILE
    from sdrun.comparison import rendering, tables
    from sdrun.comparison.asked import answered
    from sdrun.errors import InputError

    for run in options.runs:
        if (Path(run) / FILE).exists():
            raise InputError(f"{run} is a claim; see: sdrun claims {run}, or name arms of it, such as {run}/method")
    result = answered(options)
    if options.format:
        print(rendering.text(result, options.format))
        tables.aside(rendering.notes(result) if options.format == "csv" else [])
        return
    rendering.show(result, tables.console())
