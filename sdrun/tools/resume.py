"""``sdrun resume RUN_FOLDER``: go on with an interrupted run."""

import argparse
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Raises InputError where the folder holds no run, and what the run itself raises."""
    parser = argparse.ArgumentParser(prog="sdrun resume", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    folder = parser.parse_args(arguments).folder
    from sdrun import run

    run.resume(folder)
