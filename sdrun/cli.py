"""The command line: a bare first word is a verb, anything else goes to Hydra. Imports no torch before a run starts."""

import atexit
import gc
import logging
import os
import re
import sys
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules

from sdrun import __version__, tools
from sdrun.errors import InputError, Interrupted
from sdrun.job import JobFailed, report
from sdrun.terminal import be_patient

OK = 0


def main() -> int:
    """Run the command line of this process. Returns the exit code: 0, 1, 2, 129, 130 or 143."""
    be_patient()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # or threads spin while they wait for a busy core
    logging.raiseExceptions = False  # a full disk is told once, by the run and not by its log
    atexit.register(gc.freeze)  # the last collections of a process that ends free nothing that its end does not
    try:
        sys.argv[1:] = arguments = _without_plugins(sys.argv[1:])
        if arguments[:1] == ["--version"]:
            print(f"sdrun {__version__}")
        elif arguments and re.fullmatch(r"[a-z][a-z_-]*", arguments[0]):
            _verb(arguments[0], arguments[1:])
        elif {"--help", "-h"} & {*arguments}:
            _verb("help", [])
        else:
            gc.disable()  # imports and lists of files stay; to look through them takes a sixth of a run's start
            from sdrun import start

            start.main(arguments)
    except JobFailed as failed:
        return failed.code
    except Interrupted as interrupted:
        return interrupted.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return report(error)
    finally:
        gc.enable()
    return OK


def _without_plugins(arguments: list[str]) -> list[str]:
    """The command line without those plugins that it names, which are loaded."""
    from sdrun.plugins import loading

    return loading.taken(arguments)


def _verb(name: str, arguments: list[str]) -> None:
    verbs = [module.name for module in iter_modules(tools.__path__)]
    if name not in verbs:
        from sdrun.choices import choices

        meant = f"method={name}" if name in choices("method") else next(iter(get_close_matches(name, verbs, n=1)), "")
        hint = f"did you mean {meant}? See" if meant else "settings are given as KEY=VALUE, without spaces; see"
        raise InputError(f"{name}: unknown verb; {hint}: sdrun help")
    import_module(f"sdrun.tools.{name}").main(arguments)
