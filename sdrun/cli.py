"""The command line: a bare first word is a verb, anything else goes to Hydra. Imports no torch before a run starts."""

import gc
import logging
import os
import re
import sys
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from sdrun import __version__, tools
from sdrun.errors import InputError, Interrupted, RunError
from sdrun.job import FULL_ERROR, JobFailed, report
from sdrun.job import start as start_job
from sdrun.terminal import be_patient

if TYPE_CHECKING:
    from sdrun.settings import Settings

OK = 0


def main() -> int:
    """Run the command line of this process. Returns the exit code: 0, 1, 2, 129, 130 or 143."""
    be_patient()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # or threads spin while they wait for a busy core
    logging.raiseExceptions = False  # a full disk is told once, by the run and not by its log
    try:
        sys.argv[1:] = arguments = _without_plugins(sys.argv[1:])
        if arguments[:1] == ["--version"]:
            print(f"sdrun {__version__}")
        elif arguments and re.fullmatch(r"[a-z][a-z_-]*", arguments[0]):
            _verb(arguments[0], arguments[1:])
        else:
            gc.disable()  # imports and lists of files stay; to look through them takes a sixth of a run's start
            _hydra()
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
        near = get_close_matches(name, verbs, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(verbs)}."
        raise InputError(f"{name}: unknown verb; {hint} Settings are given as key=value, see sdrun --help")
    import_module(f"sdrun.tools.{name}").main(arguments)


def _hydra() -> None:
    import hydra
    from hydra._internal.utils import get_args_parser

    from sdrun import preflight, trust
    from sdrun.configuration import conf_folder, register_resolvers, require_text
    from sdrun.ranks import num_ranks, rank

    register_resolvers()
    trust.install()
    arguments = get_args_parser().parse_args()
    for word in sys.argv:
        require_text(word)
    if arguments.experimental_rerun:
        raise InputError("--experimental-rerun: it runs code from a file, in a finished run; use sdrun resume")
    if arguments.config_path and not os.path.isabs(arguments.config_path):
        raise InputError(f"--config-path: {arguments.config_path} is no absolute path of a folder; give one")
    if arguments.multirun and arguments.cfg:
        raise InputError("--cfg: shows the settings of one run; leave --multirun out")
    if arguments.multirun and num_ranks() > 1:
        raise InputError("--multirun: torchrun cannot start a sweep; start each of its jobs by torchrun")
    checked: list[Settings] = []
    if not (arguments.help or arguments.hydra_help or arguments.info or arguments.shell_completion):
        jobs = preflight.composed(arguments)
        checked = [preflight.checked_settings(job) for job in jobs]
        if not arguments.cfg:
            for settings, job in zip(checked, jobs, strict=True):
                preflight.check(settings, job, arguments.multirun)
        if rank() > 0:
            if not arguments.cfg:
                _follow(checked[0])
            return

    os.environ[FULL_ERROR] = "1"  # errors come to main, which says them in fewer lines
    try:
        run = partial(start_job, settings=None if arguments.multirun or not checked else checked[0])
        hydra.main(config_path=str(conf_folder()), config_name="config", version_base="1.3")(run)()
    except JobFailed as failed:
        if not arguments.multirun:
            raise
        raise RunError("runs failed, see above") from failed


def _follow(settings: "Settings") -> None:
    """A rank that torchrun started beside the first: the same settings, in the first one's folder."""
    from sdrun import run

    run.start(settings, None, [])
