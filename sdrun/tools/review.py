"""``sdrun review RUN_FOLDER``: the labels that look wrong, as a page to go through."""

from pathlib import Path

from sdrun import tools


def main(arguments: list[str]) -> None:
    """Raises InputError where the run holds no beliefs out of sample, or its data cannot be read."""
    parser = tools.parser("review", __doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="where the data are now, as dataset.root")
    parser.add_argument("--most", type=int, default=24, metavar="N", help="items of each label, 24 if not said")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="review.html in the run's folder if not said")
    options = parser.parse_intermixed_args(arguments)
    from sdrun.errors import require

    require(options.most >= 1, "--most", f"must be at least 1, but is {options.most}")
    from sdrun.review import page

    print(f"Review  {page.write(options.folder, options.overrides, options.most, options.output)}")
