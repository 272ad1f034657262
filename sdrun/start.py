"""From a command line of settings to runs, through Hydra. Imports no torch before settings and data are found good."""

import gc
import os
import sys
from argparse import ArgumentError, ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sdrun import preflight, trust
from sdrun.choices import conf_folder
from sdrun.configuration import register, require_text, settings_from
from sdrun.errors import InputError, RunError, require
from sdrun.job import FULL_ERROR, JobFailed
from sdrun.job import start as start_job
from sdrun.ranks import num_ranks, rank

DRY_RUN = "--dry-run"
LAUNCHER = "hydra_plugins.sdrun_processes.ProcessLauncher"

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from sdrun.settings import Settings


def main(words: list[str]) -> None:
    """Runs what ``sdrun WORDS`` asks for. Raises as a run does, and RunError where runs of a sweep failed."""
    import hydra
    from hydra._internal.utils import get_args_parser

    register()
    trust.install()
    sys.argv[1:] = _in_full(words)  # Hydra reads them there
    arguments = _parsed(get_args_parser())
    _require_sense(arguments)
    if arguments.multirun:
        gc.enable()  # for compositions of many jobs; a run does so itself
    checked: Settings | None = None
    if not (arguments.help or arguments.hydra_help or arguments.info or arguments.shell_completion):
        checked = _checked(arguments)
        if rank() > 0:
            if not arguments.cfg:
                _follow(checked)
            return

    os.environ[FULL_ERROR] = "1"  # errors come to the command line, which says them in fewer lines
    failures = list[JobFailed]()

    def run(config: "DictConfig") -> None:
        try:
            start_job(config, None if arguments.multirun else checked)
        except JobFailed as failed:
            if arguments.multirun:  # tells the launcher, which may be in another process
                raise
            failures.append(failed)

    try:
        hydra.main(config_path=str(conf_folder()), config_name="config", version_base=preflight.VERSION_BASE)(run)()
    except JobFailed as failed:
        raise RunError("a run failed, see above") from failed  # another's sweeper has stopped at it
    if failures:
        raise failures[0]


def _checked(arguments: Namespace) -> "Settings":
    """The settings of the run, or of a sweep's first; all of them are found good, or InputError is raised."""
    own, jobs = preflight.composed(arguments)
    settings = [settings_from(job) for job in jobs]
    if arguments.multirun and own.hydra.launcher._target_ == LAUNCHER:
        from sdrun.sweeps.pool import warm_up

        warm_up()
    if not arguments.cfg:
        for one in settings:
            preflight.check(one, own, arguments.multirun)
    return settings[0]


def _in_full(words: list[str]) -> list[str]:
    """The words as Hydra knows them."""
    from sdrun.sweeps.asked import DRY, in_full

    return [f"{DRY}=true" if word == DRY_RUN else in_full(word) for word in words]


def _parsed(parser: ArgumentParser) -> Namespace:
    """What Hydra makes of the command line. Raises InputError for a word that it has no place for."""
    parser.exit_on_error = False
    try:
        arguments, unknown = parser.parse_known_args()
    except ArgumentError as error:
        raise InputError(f"{error}; see: sdrun help") from error
    for word in unknown[:1]:
        require(not word.startswith("-"), word, "unknown option; see: sdrun help")
        raise InputError(f"{word}: stands apart from the other settings; give options such as -m before all of them")
    return arguments


def _require_sense(arguments: Namespace) -> None:
    """Raise InputError for what sdrun does not do as Hydra does."""
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


def _follow(settings: "Settings") -> None:
    """A rank that torchrun started beside the first: the same settings, in the first one's folder."""
    from sdrun import run

    run.start(settings, None, [])
