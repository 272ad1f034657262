"""``sdrun resume RUN_FOLDER``: go on with an interrupted run."""

import argparse
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Raises InputError where the folder holds no run, and what the run itself raises."""
    parser = argparse.ArgumentParser(prog="sdrun resume", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    parser.add_argument(
        "--repair", action="store_true", help="of a completed run, make again what is damaged or gone of its files"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="of dataset.root, dataset.download and checkpoint_seconds"
    )
    options = parser.parse_intermixed_args(arguments)
    from sdrun import run

    run.resume(options.folder, options.overrides, options.repair)
