"""``sdrun methods``: which method for which situation, what to expect, and a command."""

from sdrun import tools

END = (
    "Points are of test accuracy over training on the labels alone, with intervals of 95 %. ``sdrun help METHOD`` says "
    "more of each. Commands are for the digits that come along; ``dataset=NAME`` chooses others. What it does on your "
    "data, a sweep beside ``supervised`` tells, and ``sdrun compare``."
)


def main(arguments: list[str]) -> None:
    """Goes through all methods, those of plugins too."""
    tools.parser("methods", __doc__).parse_args(arguments)
    from sdrun import methods
    from sdrun.manual import layout
    from sdrun.manual.docstring import docstring
    from sdrun.settings import Situation

    console = layout.page()
    docs = {name: docstring(name) for name in methods.names()}
    by_situation: dict[Situation | None, list[str]] = {situation: [] for situation in (*Situation, None)}
    for name in sorted(docs, key=lambda name: (docs[name].has_teacher, name)):
        by_situation[methods.settings_class(name).situation].append(name)
    indent = layout.INDENT + " " * (max(map(len, docs)) + 2)
    for situation, names in by_situation.items():
        if names:
            layout.heading(situation.value if situation else "Other methods", console)
        for name in names:
            told = docs[name].sections
            use = f"Use when {told['Use when']}" if "Use when" in told else docs[name].title
            layout.paragraph(use, console, layout.INDENT + name, indent)
            if "Expect" in told:
                layout.paragraph(f"Expect: {told['Expect']}", console, indent, indent)
            for line in docs[name].commands[:1]:
                layout.command(line, console, indent)
    console.print()
    layout.paragraph(END, console)
