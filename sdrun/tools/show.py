"""``sdrun show RUN_FOLDER``: what a run was asked, its teachers, what came out, and its files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrun import tools

if TYPE_CHECKING:
    from sdrun.comparison.runs import Run
    from sdrun.comparison.tables import Table

GROUPS = ("method", "model", "dataset", "optim", "hardware")
DATA_SEED, USUAL_DATA_SEED = "dataset.seed", "${seed}"
INTERPOLATION = re.compile(r"\$\{([\w.]+)\}")


def main(arguments: list[str]) -> None:
    """Raises InputError where the folder holds no run that can be read."""
    parser = tools.parser("show", __doc__)
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    folder = parser.parse_args(arguments).folder
    from sdrun.comparison import rendering, single, tables
    from sdrun.comparison.runs import read
    from sdrun.comparison.stages import judged
    from sdrun.errors import InputError
    from sdrun.settings.words import printable
    from sdrun.storage.documents import Unreadable
    from sdrun.storage.place import require_no_sweep

    try:
        run = read(folder)
    except Unreadable as error:
        require_no_sweep(folder)
        raise InputError(f"{printable(str(folder))}: {error}") from error
    console = tables.console()
    for title, value in _heads(run):
        console.print(printable(f"{title:<10} {value}"), markup=False, soft_wrap=True)
    if judged(run):
        rendering.show(single.whole(run), console)
    for table in (_settings(run), _metrics(run), _lineage(run), _files(run)):
        if table.rows:
            tables.show(table, console)


def _heads(run: "Run") -> Iterator[tuple[str, str]]:
    from sdrun.storage.stage import COMPUTE

    manifest, compute = run.manifest, run.summary.get("compute", {})
    yield "run", str(run.path)
    yield "status", run.status + (f": {run.summary['error']}" if "error" in run.summary else "")
    yield from (("damage", text) for text in manifest.get("damage", []))
    yield "created", f"{manifest.get('created', '')}, sdrun {(manifest.get('versions') or {}).get('sdrun', '?')}"
    yield (
        "what",
        f"{run.title} on {manifest['dataset']}, {manifest.get('model', '?')}, seed {manifest['seed']}",
    )
    yield "command", " ".join(["sdrun", *manifest.get("overrides", [])])
    if compute.keys() >= set(COMPUTE):
        took = f"{compute['steps']:,} steps, {compute['samples']:,} items, {compute['multiply_adds']:.3g} multiply-adds"
        yield "training", f"{took}, {compute['seconds']:,.0f} s of {run.summary.get('wall_seconds', 0):,.0f} s in all"


def _settings(run: "Run") -> "Table":
    from sdrun import configuration
    from sdrun.comparison.tables import Table
    from sdrun.errors import InputError
    from sdrun.settings.words import text

    table = Table("Settings that differ from the defaults", ["setting", "value", "default"], left=("setting",))
    names = {group: text(run.settings[f"{group}.name"]) for group in GROUPS if f"{group}.name" in run.settings}
    if "/" in (model := text(run.manifest.get("model"))):
        names["model"] = model.partition("/")[0]
    try:
        usual = configuration.defaults(names) if all(map(_is_choice, names.items())) else {}
    except InputError:  # choices that do not go together: everything differs
        usual = {}
    for key, value in _asked(run).items():
        default = usual.get(key)
        if key == DATA_SEED:
            value, default = (value if text(value) != text(run.seed) else USUAL_DATA_SEED), USUAL_DATA_SEED
        if text(value) != text(default):
            table.rows.append([key, text(value), text(default)])
    return table


def _is_choice(group_and_name: tuple[str, str]) -> bool:
    """Whether sdrun or a plugin has it; to Hydra a name may also be a path, or a line of its grammar."""
    from sdrun.plugins.decorators import owner

    group, name = group_and_name
    return bool(re.fullmatch(r"[\w-]+", name)) and owner(group, name) is not None


def _asked(run: "Run") -> dict[str, Any]:
    """The settings before ``auto`` was resolved, where Hydra's copy of them is there and asks for nothing else."""
    from sdrun.settings.words import leaves
    from sdrun.storage.documents import Unreadable, read_yaml
    from sdrun.storage.manifest import require_whole

    file = run.path / ".hydra" / "config.yaml"
    try:
        if file.is_symlink() or file.parent.is_symlink():
            return run.settings
        require_whole(run.manifest, run.path, ".hydra/config.yaml")
        asked = dict(leaves(read_yaml(file)))
        return {key: _resolved(asked, value) for key, value in asked.items()}
    except (Unreadable, LookupError):
        return run.settings


def _resolved(settings: dict[str, Any], value: Any) -> Any:
    """What a setting refers to by ``${key}``. Raises LookupError where it is anything else than another setting."""
    from sdrun.settings.words import text

    for _ in range(len(GROUPS)):
        if "${" not in text(value):
            return value
        reference = INTERPOLATION.fullmatch(text(value))
        if not reference:
            break
        value = settings[reference[1]]
    raise LookupError(f"{value} is no plain interpolation")


def _metrics(run: "Run") -> "Table":
    from sdrun.comparison.tables import Table, number, titled
    from sdrun.judges.metric import lookup

    table = Table("Metrics of the final student", ["metric", "value"], left=("metric",))
    for key in run.summary.get("metrics", {}):
        value, metric = run.metric(key), lookup(key, run.declared)
        if key.count("/") == 1:
            table.rows.append([titled(key, metric), "no number" if value is None else number(metric, value)])
    return table


def _lineage(run: "Run") -> "Table":
    from sdrun.comparison.tables import Table

    table = Table("Where weights and targets come from", ["stage", "from", "SHA-256"])
    table.left = tuple(table.columns)
    if init := run.manifest.get("init"):
        origin = init.get("weights") or f"{init.get('run')}, {init.get('stage')}"
        table.rows.append(["all students", origin, str(init.get("sha256", ""))[:16]])
    teachers: dict[str, list[dict[str, Any]]] = run.manifest.get("teachers", {})
    for stage, lineage in teachers.items():
        for teacher in lineage:
            table.rows.append([stage, str(teacher.get("stage")), str(teacher.get("sha256", ""))[:16]])
    return table


def _files(run: "Run") -> "Table":
    from sdrun.comparison.tables import Table

    table = Table("Files", ["file", "kB"], left=("file",), paths="file")
    for file in sorted(run.path.rglob("*")):
        inside = file.relative_to(run.path)
        if (
            file.is_file()
            and not any(part.startswith(".") for part in inside.parts)
            and inside.parts[0] != "evaluations"
        ):
            table.rows.append([str(inside), f"{file.stat().st_size / 1000:,.1f}"])
    return table
