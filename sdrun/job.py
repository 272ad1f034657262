"""One run as Hydra starts it, and in few words what went wrong with it."""

import os
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from sdrun.errors import NO_ROOM, InputError, RunError
from sdrun.storage.sweeps import STORE, Busy, job_held

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from sdrun.settings import Settings

FAILED, BAD_INPUT, BUSY = 1, 2, 75
FULL_ERROR = "HYDRA_FULL_ERROR"
wants_traceback = os.environ.get(FULL_ERROR) == "1"


class JobFailed(Exception):
    """A job failed and has said so. ``path``: its folder; ``code``: what its process is to end with."""

    def __init__(self, path: str, code: int) -> None:
        self.path, self.code = path, code
        super().__init__(path, code)


def start(config: "DictConfig", settings: "Settings | None" = None) -> None:
    """``settings``: those of the composition, if they are checked already. A job of a sweep goes on where it stood.

    Raises JobFailed, and Interrupted as a run does.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    from sdrun import configuration, run
    from sdrun.plugins import loading
    from sdrun.storage.place import holds_run

    loading.load_all([])  # a launcher may start this in a process of its own
    hydra = HydraConfig.get()
    os.chdir(hydra.runtime.cwd)  # with hydra.job.chdir too, a path means what it meant where the command was given
    path = Path(hydra.runtime.output_dir)
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    seen = {"config": config, "hydra": HydraConfig.instance().cfg, "overrides": hydra.overrides.task}
    try:
        files = {f".hydra/{name}.yaml": OmegaConf.to_yaml(node) for name, node in seen.items()}
        is_job = hydra.mode is RunMode.MULTIRUN
        sweep = Path(hydra.sweep.dir)
        store = sweep / STORE if is_job and hydra.sweeper.get("reuse", True) else None
        with job_held(sweep, hydra.sweep.subdir) if is_job else nullcontext():
            if is_job and holds_run(path):
                run.resume(path, store=store)
            else:
                settings = settings or configuration.settings_from(config)
                title = hydra.runtime.choices["method"]
                run.start(settings, path, list(hydra.overrides.task), files, store, title)
    except Exception as error:
        raise JobFailed(str(path), report(error)) from error


def report(error: Exception) -> int:
    """Say in few lines what went wrong and how to go on. Returns the exit code; raises what is a bug of sdrun."""
    if wants_traceback:
        traceback.print_exception(error)
    if isinstance(error, InputError):
        text, code = str(error), BAD_INPUT
    elif isinstance(error, Busy):
        text, code = str(error), BUSY
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
