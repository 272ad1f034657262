"""``sdrun ask KEY=VALUE... --budget 2h``: does self-distillation help here? A sentence within the time."""

import os
import re
from pathlib import Path

from sdrun import tools

FOLDER = "outputs/asks/${version:}"
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def main(arguments: list[str]) -> None:
    """Raises InputError for a budget that is none, and what the sweep raises."""
    parser = tools.parser("ask", __doc__)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="data, model, lengths: as sdrun takes them")
    parser.add_argument(
        "--budget", metavar="TIME", help="wall-clock time, such as 30m or 2h; with --resume what is added"
    )
    parser.add_argument(
        "--goal",
        metavar="GOAL",
        default="accuracy",
        help="what decides: accuracy, calibration, labels (accuracy, by methods that learn from items without one), or "
        "compute (accuracy of a network that may stop early); accuracy if not said",
    )
    parser.add_argument("--compare", metavar="METHOD,...", help="candidates; what the data suggest if not said")
    parser.add_argument("--dry-run", action="store_true", help="look, say the plan, and stop there")
    parser.add_argument("-o", "--output", metavar="FOLDER", help="outputs/asks/VERSION if not said")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with an ask")
    options = parser.parse_intermixed_args(arguments)
    from sdrun import start
    from sdrun.errors import require
    from sdrun.settings.words import override

    budget = [] if options.budget is None else [f"hydra.sweeper.budget={seconds(options.budget):g}"]
    dry = [start.DRY_RUN] if options.dry_run else []
    if options.resume:
        from sdrun.asks.folder import FILE
        from sdrun.sweeps.asked import words_of

        require(
            not options.overrides and not options.compare, "--resume", "goes on with what was asked; leave all else out"
        )
        is_there = os.path.lexists(options.resume / FILE)
        require(is_there, "--resume", f"{options.resume} holds no ask; begin one by: sdrun ask KEY=VALUE --budget 2h")
        start.main([*words_of(options.resume, []), *budget, *dry])
        return
    _require_single(options.overrides)
    require(bool(budget), "--budget", "is missing; say how much time there is, such as --budget 2h")
    compare = [f"hydra.sweeper.compare=[{options.compare}]"] if options.compare else []
    words = [override("hydra.sweep.dir", options.output) if options.output else f"hydra.sweep.dir={FOLDER}"]
    words += ["hydra/sweeper=ask", f"hydra.sweeper.goal={options.goal}", *compare, *budget]
    start.main(["-m", *options.overrides, *words, *dry])


def _require_single(words: list[str]) -> None:
    """Raise InputError for a word that gives several values."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from sdrun.errors import require
    from sdrun.refusal import in_words

    with in_words():
        for word in OverridesParser.create().parse_overrides(words):
            is_single = not word.is_sweep_override()
            require(
                is_single, str(word.input_line), "gives several values, and an ask is of one; write a list as [1,2]"
            )


def seconds(text: str) -> float:
    """What a time such as ``1h30m`` comes to. Raises InputError where it is none."""
    from sdrun.errors import InputError

    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    total = sum(float(number) * UNITS[unit] for number, unit in parts)
    if "".join(f"{number}{unit}" for number, unit in parts) != text or total <= 0:
        raise InputError(f"--budget: {text} is no time; write it as 30m, 2h or 1h30m")
    return total
