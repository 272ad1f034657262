"""What Hydra and OmegaConf refuse of a command line, in few words and with the way out. Imports no torch."""

import difflib
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from sdrun.configuration import explain
from sdrun.errors import InputError
from sdrun.settings.words import override

MOST_LINES = 8
KEY = re.compile(r"[+~]{0,2}[\w./@:-]+")
OPENS = re.compile(r"[\[{'\"]|\w+\(")
"""What a list, a dictionary, a quoted text or a function begins with."""

QUOTED = shlex.quote('KEY="A B"')


@contextmanager
def in_words() -> Iterator[None]:
    """Errors of a composition as InputError."""
    try:
        yield
    except InputError:
        raise
    except OverrideParseException as error:
        raise InputError(f"{error.override}: {_unreadable(error.override, error.message)}") from error
    except MissingConfigException as error:
        raise InputError(_no_such_choice(error)) from error
    except yaml.YAMLError as error:
        raise InputError(f"malformed YAML: {_shortened(str(error))}") from error
    except OmegaConfBaseException as error:
        raise InputError(explain(error, [])) from error
    except (HydraException, ValueError) as error:
        raise InputError(_shortened(str(error).replace("'++", "'"))) from error


def _unreadable(line: str, message: str) -> str:
    """What is wrong with an override that Hydra's grammar has no place for, and how it is written."""
    key, equals, value = line.partition("=")
    if evaluated := [part for part in message.splitlines() if "while evaluating" in part]:
        return evaluated[0]
    if not equals:
        return f"is no KEY=VALUE; a value with a space is quoted, for the shell too: {QUOTED}"
    if not KEY.fullmatch(key):
        return f"{key!r} is no key, such as optim.lr"
    if value.startswith("="):
        return f"has more than one =; write {key}={value.lstrip('=')}"
    if OPENS.match(value):
        return "brackets and quotes must close as they open; a list is written as [1,2]"
    return f"cannot be read{quoting(line)}"


def quoting(line: str) -> str:
    """How to write a value that Hydra's grammar has no place for, where it is one text."""
    key, equals, value = line.partition("=")
    if not equals or value[:1] in tuple("[{'\""):
        return ""
    return f"\nQuote what is one text, for the shell too: {shlex.quote(override(key, value))}"


def _no_such_choice(error: MissingConfigException) -> str:
    options = [option for option in error.options or [] if not option.startswith("_")]
    name = str(error.missing_cfg_file)
    if not options or "/" not in name:
        return _shortened(str(error))
    group, choice = name.rsplit("/", 1)
    near = difflib.get_close_matches(choice, options, n=1)
    hint = f"did you mean {near[0]}? There are" if near else "there are"
    return f"{group}={choice}: no such choice; {hint}: {', '.join(options)}"


def _shortened(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[:MOST_LINES])
