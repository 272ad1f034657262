"""``sdrun evaluate RUN_FOLDER``: judge a finished run again, without training."""

import argparse
from pathlib import Path

from sdrun import tools
from sdrun.errors import require


def main(arguments: list[str]) -> None:
    """Raises InputError where the folder holds no finished run, or what is asked does not suit it."""
    parser = tools.parser("evaluate", __doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--dataset", metavar="NAME", help="judge the test items of another dataset of the same shape")
    parser.add_argument("--root", metavar="FOLDER", help="where the files of these test items are")
    parser.add_argument("--exit-policy", nargs="?", const="", help=argparse.SUPPRESS)
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="hardware.*, dataset.root, and what the method leaves free"
    )
    options = parser.parse_intermixed_args(arguments)
    spelling = "use method.exit_policy.tolerance=0.01, or method.exit_policy.budget=0.5"
    require(options.exit_policy is None, "--exit-policy", f"is no option any more; {spelling}")
    from sdrun import reevaluation

    reevaluation.evaluate(options.folder, options.dataset, options.root, options.overrides)
