"""``sdrun linear KEY=VALUE...``: all that distillation can give a linear head, in seconds."""

from pathlib import Path

from sdrun import tools


def main(arguments: list[str]) -> None:
    """Raises InputError where settings and data do not go together, or items are no numbers and no run is named."""
    parser = tools.parser("linear", __doc__)
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="as sdrun takes them; init_from: features of it"
    )
    parser.add_argument("--noise", default="0,0.4,0.8", metavar="SHARES", help="of wrong labels, 0,0.4,0.8 if not said")
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="of split, subset and noise, 20 if not said")
    parser.add_argument("-o", "--output", type=Path, default=Path("outputs/linear"), metavar="FOLDER")
    options = parser.parse_intermixed_args(arguments)
    from sdrun.errors import require

    require(options.seeds >= 2, "--seeds", f"must be at least 2, but is {options.seeds}")
    noises = _shares(options.noise)
    from hydra._internal.utils import get_args_parser

    from sdrun import preflight
    from sdrun.comparison import tables
    from sdrun.configuration import register, settings_from

    register()
    settings = settings_from(next(preflight.composed(get_args_parser().parse_args(options.overrides))[1]))
    from sdrun.linear import report
    from sdrun.linear.features import Frozen
    from sdrun.linear.search import NUM_PLAIN, PLAIN, search

    frozen, console = Frozen.of(settings), tables.console()
    console.print(f"Features     {frozen.train.shape[1]}: {frozen.words}", markup=False, soft_wrap=True)
    num_classes = len(frozen.published.classes)
    trials = {
        noise: [search(*frozen.items(seed, noise), num_classes, seed) for seed in range(options.seeds)]
        for noise in noises
    }
    for table in report.tables(trials):
        tables.show(table, console)
    console.print(f"{PLAIN}: the best of {NUM_PLAIN:,} penalties; a step: labels of which alpha is the last one's word")
    report.write(options.output, trials, {"overrides": options.overrides, "features": frozen.words})
    console.print(f"Picture      {options.output / report.PICTURE}", markup=False, soft_wrap=True)


def _shares(text: str) -> list[float]:
    """Raises InputError where it is no list of them."""
    from sdrun.errors import InputError

    try:
        shares = sorted({float(word) for word in text.split(",")})
    except ValueError:
        shares = []
    if not shares or not all(0 <= share < 1 for share in shares):
        raise InputError(f"--noise: needs shares from 0 to below 1, as 0,0.4, but is {text}")
    return shares
