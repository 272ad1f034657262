"""Jobs as Hydra's sweepers give them, in processes, with what a person sees of them."""

import signal
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hydra import version
from hydra.core.utils import JobReturn, JobStatus, filter_overrides, run_job, setup_globals
from hydra.types import HydraContext
from joblib import cpu_count
from omegaconf import DictConfig, OmegaConf, open_dict

from sdrun import configuration, job, progress, trust
from sdrun.errors import Interrupted, OutOfTime, require
from sdrun.interrupt import Interrupt
from sdrun.job import JobFailed
from sdrun.plugins import loading
from sdrun.preflight import VERSION_BASE
from sdrun.settings.words import parted
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable
from sdrun.storage.place import resuming
from sdrun.storage.sweeps import Job, SweepFolder, is_held
from sdrun.sweeps import process
from sdrun.sweeps.asked import command
from sdrun.sweeps.pool import Ended, Left, Pool, Started, State, Told
from sdrun.sweeps.process import Work
from sdrun.sweeps.results import write_results
from sdrun.sweeps.screen import Screen
from sdrun.terminal import be_patient

SUBDIR = "hydra.sweep.subdir"

OURS = "sdrun: "
"""What the command line begins a message with."""

THREADS, DEVICE, JOBS = "hardware.threads", "hardware.device", "jobs"

STOPS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

SECONDS_BETWEEN_TABLES = 30.0
"""Of results, which are read from all runs."""


def launch(
    context: HydraContext,
    config: DictConfig,
    lines: Sequence[Sequence[str]],
    first: int,
    asked: int | None,
    is_quiet: bool = False,
    until: float | None = None,
) -> list[JobReturn]:
    """Runs each line of overrides as a job; ``asked``: how many at once; ``until``: when time is up, see Interrupt.

    Raises Interrupted after a signal, and OutOfTime, when all that ran are saved.
    """
    folder = SweepFolder.begin(Path(str(config.hydra.sweep.dir)), command(config))
    jobs = {_name(line, number): list(line) for number, line in enumerate(lines, first)}
    with folder.updating():
        for name, line in jobs.items():
            folder.jobs.setdefault(name, Job(list(filter_overrides(line))))
    works = [
        Work(name, partial(_run, context, config, line, number, job.wants_traceback), folder.log(name))
        for number, (name, line) in enumerate(jobs.items(), first)
    ]
    num = min(len(jobs), num_at_once(config, lines, asked))
    processes = Pool(works, num, cpu_count(), partial(_state, folder.path))
    codes = dict[str, int]()
    written = time.monotonic()
    with Interrupt(until) as interrupt, Screen(folder, list(jobs), num, is_quiet) as screen:
        for event in processes.run(interrupt):
            match event:
                case Started(name):
                    folder.note(name, "running")
                    screen.started(name)
                case Told(name, words):
                    screen.told(name, words)
                case Left(name):
                    screen.left(name)
                case Ended(name, code):
                    codes[name] = 0 if _state(folder.path, name) is State.done else code
                    folder.note(name, *_outcome(codes[name], folder.log(name)))
                    screen.ended(name, codes[name])
                    if time.monotonic() - written > SECONDS_BETWEEN_TABLES:
                        write_results(folder.path)
                        written = time.monotonic()
        if interrupt.signum is not None:
            write_results(folder.path)
            screen.say("Interrupted; what ran is saved")
            screen.say(f"Go on with: {resuming(folder.path)}")
            raise Interrupted(interrupt.signum)
        if interrupt.is_asked and any(name not in codes or folder.jobs[name].status == "interrupted" for name in jobs):
            write_results(folder.path)
            raise OutOfTime("the time is up; what ran is saved")
    return [_returned(name, line, codes[name], folder.path) for name, line in jobs.items()]


def _name(line: Sequence[str], number: int) -> str:
    names = [value.strip('"') for key, value in map(parted, line) if key == SUBDIR]
    return names[-1] if names else str(number)


def num_at_once(config: DictConfig, lines: Sequence[Sequence[str]], asked: int | None) -> int:
    """As many as there are cores for their threads, but one on a GPU. Raises InputError where more are ``asked``."""
    cores, words = cpu_count(), [parted(word) for line in lines for word in line]
    threads = [int(value) for key, value in words if key == THREADS and value.isdigit()]
    num_threads = max(1, OmegaConf.select(config, THREADS) or 1, *threads)
    most = max(1, cores // num_threads)
    require(asked is None or asked >= 1, JOBS, f"is {asked}, but must be at least 1")
    told = f"is {asked}, but {cores} cores have room for {most} of {num_threads} threads, and with more each waits"
    require(asked is None or asked <= most, JOBS, told)
    if asked:
        return asked
    devices = {str(OmegaConf.select(config, DEVICE)), *(value for key, value in words if key == DEVICE)}
    return most if devices == {"cpu"} or not _has_gpu() else 1


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def _state(path: Path, name: str) -> State:
    """What there is to do for a job, which another process may be at, or have made."""
    try:
        if manifests.read(path / name)["status"] == "completed":
            return State.done
    except Unreadable:
        pass
    return State.busy if is_held(path, name) else State.free


def _run(context: HydraContext, config: DictConfig, line: list[str], number: int, wants_traceback: bool) -> int:
    """What a job's process does. Returns its exit code."""
    be_patient()
    job.wants_traceback = wants_traceback
    progress.listen(progress.Listener(process.tell, process.aside))
    setup_globals()
    version.setbase(VERSION_BASE)
    configuration.register()
    trust.install()
    loading.load_all([])
    sweep = context.config_loader.load_sweep_config(config, line)
    with open_dict(sweep):
        sweep.hydra.job.id = sweep.hydra.job.num = number
    try:
        returned = run_job(
            task_function=job.start,
            config=sweep,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key=SUBDIR,
            hydra_context=context,
        )
    except Interrupted as interrupted:
        return interrupted.exit_code
    if returned.status is JobStatus.COMPLETED:
        return 0
    failed = returned._return_value  # to ask for it says more, in words of Hydra's
    if isinstance(failed, JobFailed):
        return failed.code
    raise failed


def _outcome(code: int, log: Path) -> tuple[str, str]:
    """The status of a job and the reason for it, which the last of our words in its log may give."""
    if code == 0:
        return "completed", ""
    if code - 128 in STOPS or -code in STOPS:
        return "interrupted", "before it could save" if code < 0 else ""
    if code == -signal.SIGKILL:
        return "failed", "killed by SIGKILL, as for want of memory; jobs=1 needs less"
    if code < 0:
        return "failed", f"killed by {signal.Signals(-code).name}"
    with log.open(encoding="utf-8", errors="replace") as file:
        messages = deque((line[len(OURS) :].strip() for line in file if line.startswith(OURS)), 1)
    return "failed", messages[0] if messages else f"exit code {code}"


def _returned(name: str, line: list[str], code: int, path: Path) -> JobReturn:
    status = JobStatus.COMPLETED if code == 0 else JobStatus.FAILED
    value = None if code == 0 else JobFailed(str(path / name), code)
    return JobReturn(overrides=filter_overrides(line), status=status, _return_value=value)
