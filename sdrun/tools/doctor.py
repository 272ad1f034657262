"""``sdrun doctor RUN_FOLDER...``: is every file of a run as it was written, or what to do?"""

from pathlib import Path

from sdrun import tools


def main(arguments: list[str]) -> None:
    """Raises InputError where a folder holds no run, and RunError where a file is damaged or gone."""
    parser = tools.parser("doctor", __doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="RUN_FOLDER", help="also of an evaluation")
    folders = parser.parse_args(arguments).folders
    from sdrun.comparison import tables
    from sdrun.diagnosis import Diagnosis
    from sdrun.errors import RunError
    from sdrun.settings.words import printable
    from sdrun.storage.manifest import State

    console = tables.console()
    num_bad = 0
    for folder in folders:
        diagnosis = Diagnosis(folder)
        findings = list(diagnosis.findings())
        bad = [finding for finding in findings if finding.is_bad]
        counts = {state: sum(finding.state is state for finding in findings) for state in State}
        words = ", ".join(f"{num} {state.value}" for state, num in counts.items() if num)
        num_left = len(diagnosis.leftovers())
        left = f"; {num_left} {'file' if num_left == 1 else 'files'} that a kill left" * bool(num_left)
        title = printable(f"{folder} ({diagnosis.folder.status}): {words}{left}")
        console.print(title, markup=False, soft_wrap=True)
        if bad:
            table = tables.Table("", ["file", "is", "what to do"], left=("file", "is", "what to do"))
            table.rows = [[finding.file, finding.state.value, finding.advice] for finding in bad]
            tables.show(table, console)
        num_bad += len(bad)
    if num_bad:
        raise RunError(f"{num_bad} {'file is' if num_bad == 1 else 'files are'} damaged or gone")
