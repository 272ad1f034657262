"""``sdrun help [METHOD | GROUP | VERB | metrics]``: when to use a method, and what its settings are."""

import inspect
import re
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from sdrun import tools

if TYPE_CHECKING:
    from rich.console import Console

METRICS = "metrics"
TITLE = "sdrun: does self-distillation help my model on my data? Can I trust the answer?"
SWEEP = "sdrun -m"
COMPARE = "sdrun compare outputs/sweeps/VERSION"
FIRST = {
    "sdrun method=born_again": "a run, data included",
    f"{SWEEP} method=born_again,supervised seed=0,1,2": "a sweep of six runs",
    COMPARE: "more than seed noise?",
}
SETTINGS = (
    "``sdrun --cfg job``: all settings, for ``KEY=VALUE``; ``--dry-run``: what a sweep would run; "
    "``--plugin FILE`` adds code, ``--config-dir FOLDER`` choices; ``--hydra-help``: Hydra's."
)


def main(arguments: list[str]) -> None:
    """Raises InputError, which names the nearest, for what is none of these."""
    parser = tools.parser("help", __doc__)
    parser.add_argument("topic", nargs="?", metavar="METHOD", help="or another of these; what there is, if not said")
    topic = parser.parse_args(arguments).topic
    from sdrun.choices import choices
    from sdrun.errors import InputError
    from sdrun.manual import layout
    from sdrun.settings.words import GROUPS

    verbs = sorted(module.name for module in iter_modules(tools.__path__))
    console = layout.page()
    if topic is None:
        _overview(verbs, console)
    elif topic == METRICS:
        _metrics(console)
    elif topic in GROUPS:
        _group(topic, console)
    elif topic in verbs:
        import_module(f"sdrun.tools.{topic}").main(["--help"])
    elif topic in choices("method"):
        _method(topic, console)
    else:
        near = get_close_matches(topic, [*choices("method"), METRICS, *GROUPS, *verbs], n=1)
        hint = f"did you mean {near[0]}?" if near else "see what there is by: sdrun help"
        raise InputError(f"sdrun help: {topic} is no method, group, verb or {METRICS}; {hint}")


def _overview(verbs: list[str], console: "Console") -> None:
    from sdrun.choices import SAME, choices
    from sdrun.manual import layout
    from sdrun.settings.words import GROUPS

    members = {group: choices(group) for group in GROUPS if group not in SAME}
    listed = {group: ", ".join(_braced(names)) for group, names in members.items()}
    for group, other in SAME.items():
        listed[other] += f"; {group} has the same"
    for group in [group for group in listed if "/" in group]:
        listed[group.partition("/")[0]] += f"; {group} has {listed.pop(group)}"
    listed["optim"] += f"; hardware has {listed.pop('hardware')}; experiment has {len(members['experiment'])}"
    del listed["experiment"]
    layout.paragraph(TITLE, console)
    layout.rows(FIRST.items(), console)
    layout.heading("Choices, GROUP=CHOICE: sdrun help METHOD, GROUP or metrics", console)
    layout.rows(listed.items(), console)
    layout.heading("Verbs: sdrun help VERB", console)
    layout.rows([(verb, _purpose(verb)) for verb in verbs if verb != "help"], console)
    layout.paragraph(SETTINGS, console)


def _braced(names: list[str]) -> list[str]:
    """Names, those that begin as another does with it, as shells know it.

    >>> _braced(["dino", "online", "online_bn", "online_ema"])
    ['dino', 'online{,_bn,_ema}']
    """
    members = {name: [other.removeprefix(name) for other in names if other.startswith(f"{name}_")] for name in names}
    own = {name: [f"{name}{{,{','.join(others)}}}"] if others else [name] for name, others in members.items()}
    inside = {f"{name}{other}" for name, others in members.items() for other in others}
    return [word for name in names if name not in inside for word in own[name]]


def _purpose(verb: str) -> str:
    """What the first line of its docstring says behind the command."""
    line = (import_module(f"sdrun.tools.{verb}").__doc__ or "").partition("\n")[0]
    return line.partition("``: ")[2].rstrip(".")


def _group(name: str, console: "Console") -> None:
    """Its choices, each with what its file begins with."""
    from sdrun.choices import choices
    from sdrun.manual import layout
    from sdrun.manual.choice import head

    layout.heading(f"{name}=CHOICE", console)
    layout.rows([(member, head(name, member)) for member in choices(name)], console)


def _method(name: str, console: "Console") -> None:
    """What a method is, its knobs, and commands to start with."""
    from sdrun import methods
    from sdrun.manual import layout
    from sdrun.manual.choice import choice
    from sdrun.manual.docstring import docstring

    chosen = choice(name)
    doc = docstring(chosen.method)
    layout.heading(doc.title if name == chosen.method else chosen.head, console)
    if name != chosen.method:
        layout.paragraph(f"``method={name}`` is ``method={chosen.method}`` with other values.", console)
    console.print()
    layout.rows(doc.sections.items(), console)
    layout.heading("Settings", console)
    layout.rows([(knob.key, knob.default, knob.comment) for knob in chosen.knobs], console)
    if not any(knob.comment for knob in chosen.settings.values()):
        layout.paragraph(inspect.getdoc(methods.settings_class(chosen.method)) or "", console)
    if chosen.beside:
        console.print()
        layout.paragraph(f"It sets {', '.join(f'``{word}``' for word in chosen.beside)} as well.", console)
    layout.heading("Start with", console)
    commands = doc.commands or [f"sdrun method={name}", f"{SWEEP} method={name},supervised seed=0,1,2"]
    for line in commands:
        layout.command(re.sub(r"\bmethod=\w+", f"method={name}", line, count=1), console)
    if any(line.startswith(SWEEP) for line in commands):
        layout.command(COMPARE, console)


def _metrics(console: "Console") -> None:
    """What metrics are called, and what each is."""
    from sdrun.judges import metric
    from sdrun.manual import layout

    layout.paragraph("Each metric with the way in which it is better, and what it is.", console)
    layout.heading("Names: PART/NAME, or PART/NETWORK/NAME", console)
    layout.rows(metric.PLACES.items(), console)
    for title, declared in metric.BY_KIND.items():
        layout.heading(title, console)
        layout.rows([(one.name, one.better.value, one.meaning) for one in declared if one.meaning], console)
