"""``sdrun check PLUGIN...``: does what a plugin adds keep what sdrun's own keep?"""

from sdrun import tools

WIDTH = 80


def main(arguments: list[str]) -> None:
    """Raises InputError where a plugin cannot be loaded, and RunError where a check fails."""
    parser = tools.parser("check", __doc__)
    parser.add_argument("plugins", nargs="*", metavar="PLUGIN", help="a file, folder or module; all that are installed")
    named = parser.parse_args(arguments).plugins
    from sdrun.errors import RunError, require
    from sdrun.plugins import loading, registry

    plugins = loading.load_all(named) or list(registry.loaded.values())
    require(bool(plugins), "sdrun check", "needs a plugin: sdrun check my_lab.py")
    import tempfile
    from pathlib import Path

    from rich.console import Console

    from sdrun.comparison import tables
    from sdrun.contract.checks import verdicts
    from sdrun.contract.subject import GROUPS, Subject, choices

    console = Console(width=WIDTH, highlight=False, emoji=False)
    faults = []
    for plugin, group in ((plugin, group) for plugin in plugins for group in GROUPS):
        for name in choices(plugin, group):
            with tempfile.TemporaryDirectory() as folder:
                rows = list(verdicts(Subject(plugin, group, name, Path(folder))))
            faults += [row.fault for row in rows if row.fault]
            table = tables.Table(f"{group}={name}", ["check", "result"], left=("check", "result"))
            table.rows = [[row.check, row.fault or f"ok  {row.said}".strip()] for row in rows]
            tables.show(table, console)
    if faults:
        raise RunError(f"{len(faults)} {'check fails' if len(faults) == 1 else 'checks fail'}")
