"""``sdrun taps model=NAME dataset=NAME``: where a network can be left on the way, and at which cost."""

from typing import TYPE_CHECKING

from sdrun import tools

if TYPE_CHECKING:
    from sdrun.comparison.tables import Table
    from sdrun.models.backbone import Backbone
    from sdrun.settings import Item


def main(arguments: list[str]) -> None:
    """Raises InputError where settings, model and items do not go together. Reads the data, for their shape."""
    parser = tools.parser("taps", __doc__)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="as sdrun takes them")
    overrides = parser.parse_args(arguments).overrides
    from hydra._internal.utils import get_args_parser

    from sdrun import preflight, tasks
    from sdrun.comparison import tables
    from sdrun.configuration import register, settings_from

    register()
    settings = settings_from(next(preflight.composed(get_args_parser().parse_args(overrides))[1]))
    model, item = settings.model, tasks.load(settings.dataset).item
    settings.check_model(item)

    from sdrun import models

    with models.without_weights(model):
        backbone = models.build(model, item).eval()
    with models.without_weights(model):
        table, console = _table(backbone, model.taken(item)), tables.console()
    table.title = f"{model.title} on {settings.dataset.name}, {item}"
    tables.show(table, console)
    parameters = sum(parameter.numel() for parameter in backbone.parameters())
    console.print(f"{parameters:,} parameters")


def _table(backbone: "Backbone", item: "Item") -> "Table":
    """Of one item: shapes without the batch, and multiply-adds up to there."""
    import torch

    from sdrun.comparison.tables import Table
    from sdrun.counting import Counter
    from sdrun.models.backbone import zeros

    table = Table("", ["tap", "shape", "multiply-adds", "of all, %"], left=("tap", "shape"))
    counter, places, totals = Counter(), [*backbone.tap_features, "features"], []
    with torch.no_grad():
        with counter():
            x = backbone.enter(zeros(item))
        for number, place in enumerate(places):
            with counter():
                x = backbone.advance(x, number) if place in backbone.tap_features else backbone.leave(x)
            totals.append(counter.total)
            table.rows.append([place, "x".join(map(str, x.shape[1:]))])
    for row, total in zip(table.rows, totals, strict=True):
        row += [f"{total:,}", f"{100 * total / max(totals[-1], 1):.1f}"]
    return table
