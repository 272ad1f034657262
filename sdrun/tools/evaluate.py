"""``sdrun evaluate RUN_FOLDER``: judge a finished run again, without training."""

import argparse
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Raises InputError where the folder holds no finished run, or what is asked does not suit it."""
    parser = argparse.ArgumentParser(prog="sdrun evaluate", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--dataset", metavar="NAME", help="judge the test images of another dataset of the same shape")
    parser.add_argument("--root", metavar="FOLDER", help="where the files of these test images are")
    parser.add_argument(
        "--exit-policy",
        metavar="POLICY",
        help="another than the run saved: the file of one, or settings such as tolerance=0.01 or budget=0.5",
    )
    parser.add_argument("overrides", nargs="*", metavar="hardware.KEY=VALUE", help="other hardware; also dataset.root")
    given = parser.parse_intermixed_args(arguments)
    from sdrun import reevaluation

    reevaluation.evaluate(given.folder, given.dataset, given.root, given.exit_policy, given.overrides)
