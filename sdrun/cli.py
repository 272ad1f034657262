"""The command line: a bare first word is a verb, anything else goes to Hydra. Imports no torch before a run starts."""

import gc
import logging
import os
import re
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from sdrun import __version__, tools
from sdrun.errors import NO_ROOM, InputError, Interrupted, RunError
from sdrun.terminal import be_patient

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from sdrun.settings import Settings

OK, FAILED, BAD_INPUT = 0, 1, 2

FULL_ERROR = "HYDRA_FULL_ERROR"
wants_traceback = os.environ.get(FULL_ERROR) == "1"
_failed: dict[str, int] = {}


class _JobFailed(Exception):
    """A job of this process failed and has said so."""

    def __init__(self, code: int) -> None:
        self.code = code


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
    except _JobFailed as failed:
        return failed.code
    except Interrupted as interrupted:
        return interrupted.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _report(error)
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

    def start(config: "DictConfig") -> None:
        _job(config, None if arguments.multirun else checked[0])

    os.environ[FULL_ERROR] = "1"  # errors come to main, which says them in fewer lines
    try:
        hydra.main(config_path=str(conf_folder()), config_name="config", version_base="1.3")(start)()
    except _JobFailed as failed:
        names = ", ".join(_failed) or "see above"
        num = f" of {len(checked)}" if len(checked) > 1 else ""  # a claim's sweep is one composition and many runs
        raise RunError(f"{len(_failed)}{num} runs failed: {names}") from failed
    if _failed:
        raise _JobFailed(_failed.popitem()[1])


def _job(config: "DictConfig", settings: "Settings | None") -> None:
    """One job as Hydra starts it, with settings that are checked already, if it is the only one.

    Says what went wrong at once, so that a sweep's other jobs can go on.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    from sdrun import configuration, run
    from sdrun.plugins import loading

    loading.load_all([])  # a launcher may start this in a process of its own
    hydra = HydraConfig.get()
    os.chdir(hydra.runtime.cwd)  # with hydra.job.chdir too, a path means what it meant where the command was given
    path = Path(hydra.runtime.output_dir)
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    seen = {"config": config, "hydra": HydraConfig.instance().cfg, "overrides": hydra.overrides.task}
    try:
        files = {f".hydra/{name}.yaml": OmegaConf.to_yaml(node) for name, node in seen.items()}
        run.start(settings or configuration.settings_from(config), path, list(hydra.overrides.task), files=files)
    except Exception as error:
        _failed[str(path)] = _report(error)
        if hydra.mode is RunMode.MULTIRUN:  # tells the launcher, which may be in another process
            raise _JobFailed(_failed[str(path)]) from error


def _follow(settings: "Settings") -> None:
    """A rank that torchrun started beside the first: the same settings, in the first one's folder."""
    from sdrun import run

    run.start(settings, None, [])


def _report(error: Exception) -> int:
    """Say in few lines what went wrong and how to go on. Returns the exit code; raises what is a bug of sdrun."""
    if wants_traceback:
        traceback.print_exception(error)
    if isinstance(error, InputError):
        text, code = str(error), BAD_INPUT
    elif isinstance(error, RunError):
        text, code = str(error), FAILED
    elif isinstance(error, OSError) and (error.filename or error.errno in NO_ROOM):
        text, code = f"{error.filename or Path.cwd()}: {error.strerror}", FAILED
    elif type(error).__module__.startswith(("hydra.", "omegaconf.")):
        text, code = "\n".join(str(error).splitlines()[:8]), BAD_INPUT
    else:
        raise error
    from sdrun.settings.words import printable

    print("\n".join(map(printable, f"sdrun: {text}".split("\n"))), file=sys.stderr)
    return code
