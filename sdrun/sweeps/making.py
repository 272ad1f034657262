"""Makes the runs of a sweep, each once, through whichever launcher Hydra has."""

import math
import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from sdrun.comparison.runs import read
from sdrun.compositions import Compositions
from sdrun.errors import InputError, OutOfTime, RunError
from sdrun.job import JobFailed
from sdrun.settings.words import listed, override, printable
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable
from sdrun.storage.files import write_bytes
from sdrun.storage.place import SWEEP, asking_doctor, resuming
from sdrun.storage.sweeps import Job, SweepFolder
from sdrun.sweeps import estimate
from sdrun.sweeps.asked import command
from sdrun.sweeps.launch import SUBDIR, num_at_once
from sdrun.sweeps.recognition import require_same
from sdrun.sweeps.results import write_results

COMPOSED = "multirun.yaml"
"""What Hydra made of the command, as its own sweeper keeps it."""

MOST_NAMED = 5


@runtime_checkable
class Limited(Protocol):
    """A launcher that stops what it runs when time is up, by ``time.monotonic``, and then raises OutOfTime."""

    until: float | None


class Making:
    """The jobs of a sweep's folder: a finished one is left alone, a half-done one goes on."""

    def __init__(self, context: HydraContext, config: DictConfig, launcher: Launcher, is_new: bool) -> None:
        self.context, self.config, self.launcher = context, config, launcher
        self.compositions = Compositions(config, context.config_loader)
        self.is_dry, self.num_launched = bool(config.hydra.sweeper.dry_run), 0
        self.until = math.inf
        path = Path(config.hydra.sweep.dir)
        if self.is_dry:
            self.folder = SweepFolder.open(path) if (path / SWEEP).exists() else SweepFolder(path, command(config))
            return
        self.folder = SweepFolder.begin(path, command(config), is_new)
        if not (self.folder.path / COMPOSED).exists():
            write_bytes(self.folder.path / COMPOSED, OmegaConf.to_yaml(config).encode())

    def make(self, jobs: Mapping[str, list[str]], at_most: int | None = None) -> None:
        """Run those jobs, overrides by name, that are not finished; ``at_most`` of them in one batch of the launcher's.

        Where the run is dry, say what they are and how long they will take. Raises InputError where a run that is there
        is not of these settings, and, after all jobs have been tried, RunError where one failed.
        """
        if self.is_dry:
            self.show(jobs)
            return
        left = self._left(jobs)
        with self.folder.updating():
            for name, line in jobs.items():
                job = self.folder.jobs.setdefault(name, Job(line))
                job.overrides = line
                if name not in left:
                    job.status, job.reason = "completed", ""
                elif job.status != "running":  # as another process may say
                    job.status, job.reason = "queued", ""
        size = at_most or max(len(left), 1)
        batches = [left[start : start + size] for start in range(0, len(left), size)]
        failed = [name for batch in batches for name in self._launched(batch, jobs)]
        write_results(self.folder.path)
        if failed:
            told = f"{len(failed)} of {len(jobs)} runs failed: {listed(failed, MOST_NAMED)}"
            raise RunError(f"{told}\nTry these again by: {resuming(self.folder.path)}")

    def show(self, jobs: Mapping[str, list[str]]) -> dict[str, float | None]:
        """Say which of those jobs are not finished, and how long they will take; see ``estimate.show``."""
        asked = self.config.hydra.launcher.get("jobs")
        return estimate.show(self.context, self.config, {name: jobs[name] for name in self._left(jobs)}, asked)

    def limit(self, until: float) -> None:
        """Launch nothing after that time; what is launched by then stops, if its launcher can."""
        self.until = until
        if isinstance(self.launcher, Limited):
            self.launcher.until = until

    @property
    def at_once(self) -> int:
        """How many jobs run at once."""
        launcher = self.config.hydra.launcher
        return num_at_once(self.config, [], launcher.jobs) if "jobs" in launcher else 1

    def _left(self, jobs: Mapping[str, list[str]]) -> list[str]:
        return [name for name, line in jobs.items() if not self._is_made(name, line)]

    def _launched(self, names: list[str], jobs: Mapping[str, list[str]]) -> list[str]:
        """Those that failed. Raises OutOfTime where time is up."""
        if names and time.monotonic() >= self.until:
            raise OutOfTime("the time is up; what ran is saved")
        lines = [[*jobs[name], override(SUBDIR, name)] for name in names]
        results = self.launcher.launch(lines, initial_job_idx=self.num_launched)
        self.num_launched += len(lines)
        failed = {
            name: result._return_value
            for name, result in zip(names, results, strict=True)
            if result.status is not JobStatus.COMPLETED
        }
        for error in failed.values():
            if not isinstance(error, JobFailed):  # which has been told
                raise error
        with self.folder.updating():
            for name in names:
                job = self.folder.jobs[name]
                if job.status in ("queued", "running"):  # a launcher of others tells nothing
                    job.status = "failed" if name in failed else "completed"
        return list(failed)

    def _is_made(self, name: str, line: list[str]) -> bool:
        path = self.folder.path / name
        if not os.path.lexists(path / manifests.FILE):
            return False
        try:
            run = read(path)
        except Unreadable as error:
            told = f"{path}: {error}; see: {asking_doctor(path)}, or move it away"
            raise InputError(printable(told)) from error
        require_same(run, self.compositions.settings(line), partial(self.compositions.defaults, line))
        return run.status == "completed"
