"""``sdrun claims FOLDER...``: the verdicts on claims, which ``-m experiment=claim_NAME`` runs."""

from pathlib import Path

from sdrun import tools


def main(arguments: list[str]) -> None:
    """Raises InputError where a folder holds no claim."""
    parser = tools.parser("claims", __doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("outputs/claims")], metavar="FOLDER")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.md",
        help="write all of it there, what was tried too; pictures below FILE/",
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy the small files of all runs there")
    options = parser.parse_args(arguments)
    from sdrun.claims.folder import find, keep
    from sdrun.claims.verdicts import judged

    folders = find(options.folders)
    claims = judged(folders)
    if options.keep:
        for folder in folders:
            keep(folder, options.keep / folder.name)
    if options.output is None:
        from sdrun.claims.screen import show
        from sdrun.comparison.tables import console

        show(claims, console())
        return
    from sdrun.claims.page import page
    from sdrun.claims.pictures import drawn
    from sdrun.storage.files import write_bytes

    pictures = options.output.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn(claims).items():
        write_bytes(pictures / f"{name}.svg", svg.encode())
    write_bytes(options.output, page(claims, pictures.name).encode(errors="backslashreplace"))
