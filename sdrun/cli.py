"""The command line: a bare first word is a verb, anything else goes to Hydra. Imports no torch before a run starts."""

import errno
import os
import re
import sys
from argparse import Namespace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from sdrun import __version__, tools
from sdrun.errors import InputError, Interrupted, RunError

if TYPE_CHECKING:
    from omegaconf import DictConfig

OK, FAILED, BAD_INPUT = 0, 1, 2

_failed: list[str] = []


class _JobFailed(Exception):
    """A job of this process failed and has said so."""

    def __init__(self, code: int) -> None:
        self.code = code


def main() -> int:
    """Run the command line of this process. Returns the exit code: 0, 1, 2, 130 or 143."""
    arguments = sys.argv[1:]
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        if arguments[:1] == ["--version"]:
            print(f"sdrun {__version__}")
        elif arguments and re.fullmatch(r"[a-z][a-z_-]*", arguments[0]):
            _verb(arguments[0], arguments[1:])
        else:
            _hydra()
    except _JobFailed as failed:
        return failed.code
    except Interrupted as interrupted:
        return interrupted.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if wants_traceback:
            raise
        return _report(error)
    return OK


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

    from sdrun import preflight
    from sdrun.configuration import conf_folder, register_resolvers
    from sdrun.ranks import rank

    register_resolvers()
    arguments = get_args_parser().parse_args()
    if arguments.experimental_rerun:
        raise InputError(
            "--experimental-rerun: it runs code from a file and writes into a finished run; use sdrun resume"
        )
    asks_only = arguments.help or arguments.hydra_help or arguments.info or arguments.shell_completion
    if not asks_only:
        jobs = preflight.composed(arguments)
        for job in jobs:
            if arguments.cfg:
                preflight.checked_settings(job)
            else:
                preflight.check(job, "hydra.sweep.dir" if arguments.multirun else "hydra.run.dir")
        if rank() > 0:
            _follow(arguments, jobs[0])
            return
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to main, which says them in fewer lines
    try:
        hydra.main(config_path=str(conf_folder()), config_name="config", version_base="1.3")(_job)()
    finally:
        if arguments.multirun and _failed:
            print(f"sdrun: {len(_failed)} of {len(jobs)} runs failed: {', '.join(_failed)}", file=sys.stderr)


def _job(config: "DictConfig") -> None:
    """One job as Hydra starts it. Says what went wrong at once, so that a sweep's other jobs can go on."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from sdrun import run

    hydra = HydraConfig.get()
    path = Path(hydra.runtime.output_dir)
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    try:
        run.start(config, path, list(hydra.overrides.task))
    except Exception as error:
        if hydra.mode is RunMode.MULTIRUN:
            print(f"{path} failed", file=sys.stderr)
            _failed.append(str(path))
        raise _JobFailed(_report(error, path)) from error


def _follow(arguments: Namespace, config: "DictConfig") -> None:
    """A rank that torchrun started beside the first: the same settings, in the first one's folder."""
    if arguments.multirun:
        raise InputError("-m: a sweep cannot be started by torchrun; start each of its jobs by torchrun")
    from sdrun import preflight, run

    run.start(preflight.without_hydra(config), None, [])


def _report(error: Exception, folder: Path | None = None) -> int:
    """Say in few lines what went wrong and how to go on. Returns the exit code; raises what is a bug of sdrun."""
    go_on = f"; then: sdrun resume {folder}" if folder else ""
    if isinstance(error, InputError):
        text, code = str(error), BAD_INPUT
    elif isinstance(error, RunError):
        text, code = str(error), FAILED
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        text, code = f"{error.filename or folder}: {error.strerror}; make room{go_on}", FAILED
    elif type(error).__module__.startswith(("hydra.", "omegaconf.")):
        text, code = "\n".join(str(error).splitlines()[:8]), BAD_INPUT
    elif folder:
        text, code = f"{type(error).__name__}: {error}\nThe traceback is in {folder / 'run.log'}", FAILED
    else:
        raise error
    print(f"sdrun: {text}", file=sys.stderr)
    return code
