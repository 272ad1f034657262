"""``sdrun linear KEY=VALUE...``: all that distillation can give a linear head, in seconds."""

from pathlib import Path
from typing import TYPE_CHECKING

from sdrun import tools

if TYPE_CHECKING:
    from sdrun.settings import DatasetSettings

USUAL = [0.0, 0.4, 0.8]


def main(arguments: list[str]) -> None:
    """Raises InputError where settings and data do not go together, or items are no numbers and no run is named."""
    parser = tools.parser("linear", __doc__)
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="as sdrun takes them; init_from: features of it"
    )
    parser.add_argument(
        "--noise",
        metavar="SHARES",
        help="of wrong labels, in place of dataset.label_noise; 0,0.4,0.8 if neither is said",
    )
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="of split, subset and noise, 20 if not said")
    parser.add_argument("-o", "--output", type=Path, default=Path("outputs/linear"), metavar="FOLDER")
    options = parser.parse_intermixed_args(arguments)
    from sdrun.errors import require

    require(options.seeds >= 2, "--seeds", f"must be at least 2, but is {options.seeds}")
    from hydra._internal.utils import get_args_parser

    from sdrun import preflight
    from sdrun.comparison import tables
    from sdrun.configuration import register, settings_from

    register()
    settings = settings_from(next(preflight.composed(get_args_parser().parse_args(options.overrides))[1]))
    _require_in_use(options.overrides)
    noises = _noises(options.noise, settings.dataset)
    from rich.progress import track

    from sdrun.linear import report
    from sdrun.linear.features import Frozen
    from sdrun.linear.search import NUM_PLAIN, PLAIN, Trial, search

    options.output.mkdir(parents=True, exist_ok=True)
    frozen, console = Frozen.of(settings), tables.console()
    console.print(f"Features     {frozen.train.shape[1]}: {frozen.words}", markup=False, soft_wrap=True)
    num_classes = len(frozen.published.classes)
    jobs = [(noise, seed) for noise in noises for seed in range(options.seeds)]
    trials: dict[float, list[Trial]] = {noise: [] for noise in noises}
    for noise, seed in track(jobs, "Solving", console=console, transient=True, disable=not console.is_terminal):
        trials[noise].append(search(*frozen.items(seed, noise), num_classes, seed))
    for table in report.tables(trials):
        tables.show(table, console)
    console.print(f"{PLAIN}: best of {NUM_PLAIN:,} penalties; alpha: share of the last one's word in labels")
    report.write(options.output, trials, {"overrides": options.overrides, "features": frozen.words})
    console.print(f"Picture      {options.output / report.PICTURE}", markup=False, soft_wrap=True)


def _noises(text: str | None, dataset: "DatasetSettings") -> list[float]:
    """Raises InputError where ``text`` is no list of shares."""
    from sdrun.errors import InputError, require

    require(dataset.label_noise_matrix is None, "dataset.label_noise_matrix", "has no share to vary; leave it out")
    if text is None:
        return [dataset.label_noise] if dataset.label_noise else USUAL
    try:
        shares = sorted({float(word) for word in text.split(",")})
    except ValueError:
        shares = []
    if not shares or not all(0 <= share < 1 for share in shares):
        raise InputError(f"--noise: needs shares from 0 to below 1, as 0,0.4, but is {text}")
    return shares


def _require_in_use(overrides: list[str]) -> None:
    """Raise InputError for a setting that a linear head does not have."""
    from sdrun.errors import require
    from sdrun.settings.words import parted

    keys = [parted(word)[0].lstrip("+~") for word in overrides]
    is_learned = "init_from" in keys
    groups = ("dataset", "hardware", *(("model", "init_from", "init_network") if is_learned else ()))
    for key in keys:
        is_seed = key == "seed" or (key == "dataset.seed" and not is_learned)
        ways = "there are seeds from 0, by --seeds; leave it out" if is_seed else "leave it out"
        require(
            not is_seed and key.split(".")[0].split("/")[0] in groups, key, f"has no effect on a linear head; {ways}"
        )
