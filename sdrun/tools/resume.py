"""``sdrun resume FOLDER``: go on with an interrupted run or sweep, or add to a sweep."""

import os
from pathlib import Path

from sdrun import tools
from sdrun.errors import require


def main(arguments: list[str]) -> None:
    """Raises InputError where the folder holds neither a run nor a sweep, and what the runs themselves raise."""
    parser = tools.parser("resume", __doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_OR_SWEEP")
    parser.add_argument(
        "--repair", action="store_true", help="of a completed run, make again what is damaged or gone of its files"
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="of a run: dataset.root, dataset.download and checkpoint_seconds; of a sweep: what to add, as seed=3,4,5",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="of a sweep: which jobs are left, and for about how long"
    )
    options = parser.parse_intermixed_args(arguments)
    from sdrun.storage.place import SWEEP

    if os.path.lexists(options.folder / SWEEP):
        from sdrun import start
        from sdrun.sweeps.asked import words_of

        require(not options.repair, "--repair", f"{options.folder} is a sweep; repair its runs one by one")
        words = words_of(options.folder, options.overrides)
        start.main([*words, start.DRY_RUN] if options.dry_run else words)
        return
    require(not options.dry_run, "--dry-run", f"{options.folder} is a run; of a sweep it says what is left")
    from sdrun import run

    run.resume(options.folder, options.overrides, options.repair)
