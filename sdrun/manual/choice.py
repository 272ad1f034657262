"""A choice of ``method`` as its YAML file has it: of which method it is, and its knobs with their comments."""

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import get_args, get_type_hints

import yaml

from sdrun import methods
from sdrun.choices import SAME, file_of
from sdrun.errors import InputError, require
from sdrun.keys import keys_at_root
from sdrun.plugins import registry
from sdrun.settings.words import text as written

GROUP, NAME = "method", "method.name"
SELF, DEFAULTS = "_self_", "defaults"
"""Hydra's words for a file's own values, and for the files that it builds upon."""


@dataclass(frozen=True)
class Knob:
    """``key``: as it is typed; ``default``: as it is written, or nothing of a group; ``comment``: what it does."""

    key: str
    default: str
    comment: str


@dataclass
class Choice:
    """``head``: the comment above it; ``settings``: all, by key; ``others``: what it chooses of other groups."""

    name: str
    head: str = ""
    settings: dict[str, Knob] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    @property
    def method(self) -> str:
        """The method that it is of. Raises InputError where there is none of that name."""
        name = self.settings[NAME].default if NAME in self.settings else ""
        require(name in methods.names(), f"{GROUP}={self.name}", f"{NAME} is {name!r}, which is no method")
        return name

    @property
    def knobs(self) -> list[Knob]:
        """The method's settings; what they may be is added where the comment does not say it."""
        cls = methods.settings_class(self.method)
        roots = keys_at_root(cls)
        allowed = {name if name in roots else f"{GROUP}.{name}": values for name, values in _values(cls)}
        own = [knob for knob in self.settings.values() if self._is_own(knob.key, roots) and knob.key != NAME]
        return [_complete(knob, allowed.get(knob.key, [])) for knob in own]

    @property
    def beside(self) -> list[str]:
        """What it chooses and sets beside its method, as overrides."""
        roots = keys_at_root(methods.settings_class(self.method))
        others = [knob for knob in self.settings.values() if not self._is_own(knob.key, roots)]
        return [*self.others, *(f"{knob.key}={knob.default}" for knob in others if knob.default)]

    @staticmethod
    def _is_own(key: str, roots: list[str]) -> bool:
        return key.startswith(f"{GROUP}.") or key in roots


def choice(name: str) -> Choice:
    """One of ``choices.choices("method")``. Raises InputError where its file is malformed."""
    return _registered(name) if name in registry.methods else _read(file_of(GROUP, name))


def head(group: str, name: str) -> str:
    """The comment above a choice of any group, or the docstring of the function that a plugin registered."""
    registered = registry.registered(SAME.get(group, group)).get(name)
    return (inspect.getdoc(registered.function) or "") if registered else _head(file_of(group, name).read_text("utf-8"))


# In Python ----------------------------------------------------------------------------------------------------------


def _registered(name: str) -> Choice:
    """What a function of a plugin is, whose settings have their defaults in Python, and no comments."""
    settings = {NAME: Knob(NAME, name, "")}
    for one in fields(registry.methods[name].settings):
        if one.name != "name":
            value = one.default if one.default_factory is MISSING else one.default_factory()
            key = f"{GROUP}.{one.name}"
            settings[key] = Knob(key, written(value.name if isinstance(value, Enum) else value), "")
    return Choice(name, settings=settings)


def _values(cls: type, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """The values that a setting may have, by name, where its type is an Enum."""
    for name, kind in get_type_hints(cls).items():
        for one in get_args(kind) or (kind,):
            if isinstance(one, type) and issubclass(one, Enum):
                yield f"{prefix}{name}", [member.name for member in one]
            elif isinstance(one, type) and is_dataclass(one):
                yield from _values(one, f"{prefix}{name}.")


def _complete(knob: Knob, values: list[str]) -> Knob:
    words = re.findall(r"\w+", knob.comment)
    if all(value in words for value in values):
        return knob
    return replace(knob, comment="; ".join(filter(None, [knob.comment, f"one of {', '.join(values)}"])))


# In YAML ------------------------------------------------------------------------------------------------------------


def _read(file: Path) -> Choice:
    """A file, with the choices that its ``defaults`` name. Raises InputError for malformed YAML."""
    text = file.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text)
    except yaml.YAMLError as error:
        raise InputError(f"{file}: malformed YAML: {' '.join(str(error).split())}") from error
    if not isinstance(root, yaml.MappingNode):
        raise InputError(f"{file}: holds no settings")
    is_global = text.startswith("# @package _global_")
    result = Choice(file.stem, _head(text))
    entries: list[yaml.Node] = next((value.value for name, value in root.value if name.value == DEFAULTS), [])
    order = [entry.value for entry in entries if isinstance(entry, yaml.ScalarNode)]
    for name in order if SELF in order else [*order, SELF]:
        if name == SELF:
            _add(result, _knobs(root, "" if is_global else f"{GROUP}.", text.splitlines()))
        else:
            parent = _read(file_of(GROUP, name.removeprefix(f"/{GROUP}/")))
            _add(result, parent.settings.values())
            result.others += parent.others
    pairs = [pair for entry in entries if isinstance(entry, yaml.MappingNode) for pair in entry.value]
    result.others += [f"{group.value.rpartition('/')[2]}={member.value}" for group, member in pairs]
    return result


def _head(text: str) -> str:
    lines = re.match(r"(#.*\n)*", text)[0].splitlines()  # type: ignore[index]
    return " ".join(line.lstrip("# ") for line in lines if "@package" not in line)


def _add(result: Choice, knobs: Iterable[Knob]) -> None:
    """Later values win, and keep the comment of an earlier one where they have none."""
    for knob in knobs:
        earlier = result.settings.get(knob.key, knob)
        result.settings[knob.key] = replace(knob, comment=knob.comment or earlier.comment)


def _knobs(node: yaml.MappingNode, prefix: str, lines: list[str]) -> Iterator[Knob]:
    """Each value with the comment behind it; a group with that behind its name, if any, before its own."""
    for name, value in node.value:
        key = f"{prefix}{name.value}"
        is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style
        end = name.end_mark if is_block else value.end_mark
        behind = lines[end.line][end.column :].lstrip(": ") if end.line < len(lines) else ""
        comment = behind.lstrip("# ") if behind.startswith("#") else ""
        if name.value == DEFAULTS:
            continue
        if not (is_block and isinstance(value, yaml.MappingNode)):
            yield Knob(key, _source(value), comment)
            continue
        if comment:
            yield Knob(key, "", comment)
        yield from _knobs(value, f"{key}.", lines)


def _source(node: yaml.Node) -> str:
    """A value as it is typed."""
    if isinstance(node, yaml.SequenceNode):
        return f"[{','.join(map(_source, node.value))}]"
    if isinstance(node, yaml.MappingNode):
        return f"{{{','.join(f'{_source(name)}:{_source(value)}' for name, value in node.value)}}}"
    return str(node.value)
