"""``sdrun predict RUN_FOLDER FILE_OR_FOLDER...``: which class a trained network takes items of your own for."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrun import tools

if TYPE_CHECKING:
    import numpy as np

LONGEST = 60
"""Letters of an item's name in a table, the last ones."""


def main(arguments: list[str]) -> None:
    """Raises InputError where the run is not finished, or an item cannot be used."""
    parser = tools.parser("predict", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER")
    parser.add_argument(
        "items",
        nargs="+",
        type=Path,
        metavar="FILE_OR_FOLDER",
        help="images, arrays or tables, as the run had",
    )
    parser.add_argument("--top", type=int, default=1, metavar="K", help="how many classes to name, the likeliest first")
    parser.add_argument("--format", choices=["csv", "json"], help="instead of a table for a terminal")
    parser.add_argument("--device", choices=["cpu", "cuda", "mps"], default="cpu")
    options = parser.parse_args(arguments)
    from sdrun.errors import require

    require(options.top >= 1, "--top", f"must be at least 1, but is {options.top}")
    from sdrun import trained
    from sdrun.comparison import tables

    model = trained.load(options.run, options.device)
    records = []
    for path in options.items:
        for item, probabilities in zip(*model.read(path), strict=True):
            records.append({"item": item, **_likeliest(probabilities, model.classes, options.top)})
    if options.format == "json":
        print(json.dumps(records, indent=2))
    elif options.format == "csv":
        print(tables.csv_text(records, list(records[0])))
    else:
        _show(records)


def _likeliest(probabilities: "np.ndarray", classes: list[str], num: int) -> dict[str, Any]:
    """``class`` and ``probability`` of the likeliest, then ``class_2`` and so on."""
    said: dict[str, Any] = {}
    for place, number in enumerate((-probabilities).argsort(kind="stable")[:num], start=1):
        ending = "" if place == 1 else f"_{place}"
        said |= {f"class{ending}": classes[number], f"probability{ending}": round(float(probabilities[number]), 4)}
    return said


def _show(records: list[dict[str, Any]]) -> None:
    from sdrun.comparison import tables

    columns = list(records[0])
    table = tables.Table("", columns, left=tuple(name for name in columns if not name.startswith("probability")))
    for record in records:
        item, *said = record.values()
        shown = item if len(item) <= LONGEST else f"...{item[-LONGEST:]}"
        table.rows.append([shown, *(cell if isinstance(cell, str) else f"{cell:.4f}" for cell in said)])
    tables.show(table, tables.console())
