"""What the docstring of a method says, section by section."""

import inspect
import re
import sys
from dataclasses import dataclass

from sdrun import methods
from sdrun.plugins import registry

SECTIONS = ("Paper", "Idea", "Asymmetry", "Use when", "Expect", "Watch for", "Try")
HEADS = re.compile(rf"^({'|'.join(SECTIONS)}): ", re.MULTILINE)


@dataclass(frozen=True)
class Docstring:
    """``title``: its first line; ``sections``: their texts by name; ``commands``: those to start with."""

    title: str
    sections: dict[str, str]
    commands: list[str]

    @property
    def has_teacher(self) -> bool:
        return not self.sections.get("Asymmetry", "").startswith("none")


def docstring(method: str) -> Docstring:
    """That of a method: of the function that a plugin registered, or of the module that has its settings."""
    registered = registry.methods.get(method)
    text = registered.function.__doc__ if registered else None
    return parsed(text or sys.modules[methods.settings_class(method).__module__].__doc__ or method)


def parsed(text: str) -> Docstring:
    """Sections begin with one of their names at the start of a line; commands stand in double backticks.

    >>> parsed("Twice: two networks.\\n\\nIdea: the second learns\\nfrom the first.\\nTry: ``sdrun method=twice``")
    Docstring(title='Twice: two networks.', sections={'Idea': 'the second learns from the first.'}, \
commands=['sdrun method=twice'])
    """
    first, *parts = HEADS.split(inspect.cleandoc(text))
    sections = {name: " ".join(words.split()) for name, words in zip(parts[::2], parts[1::2], strict=True)}
    commands = re.findall("``(.+?)``", sections.pop("Try", ""))
    return Docstring(first.partition("\n")[0], sections, commands)
