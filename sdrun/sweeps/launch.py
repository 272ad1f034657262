"""Jobs as Hydra's sweepers give them, in processes, with what a person sees of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus, filter_overrides, run_job, setup_globals
from hydra.types import HydraContext
from joblib import cpu_count
from omegaconf import DictConfig, OmegaConf, open_dict

from sdrun import configuration, trust
from sdrun.errors import Interrupted
from sdrun.interrupt import Interrupt
from sdrun.job import JobFailed
from sdrun.job import start as start_job
from sdrun.plugins import loading
from sdrun.sweeps.pool import Ended, Pool, Started, Told, Work
from sdrun.sweeps.screen import Screen
from sdrun.terminal import be_patient

LOGS = "logs"
SUBDIR = "hydra.sweep.subdir"
THREADS = "hardware.threads"


@dataclass(frozen=True)
class Job:
    """``name``: of its folder in the sweep's."""

    name: str
    overrides: list[str]
    number: int


def launch(
    context: HydraContext, config: DictConfig, lines: Sequence[Sequence[str]], first: int, num_at_once: int | None
) -> list[JobReturn]:
    """Runs each line of overrides as a job. Raises Interrupted after a signal, when all that ran are saved."""
    jobs = [Job(_name(line, number), list(line), number) for number, line in enumerate(lines, start=first)]
    folder = Path(str(config.hydra.sweep.dir))
    (folder / LOGS).mkdir(parents=True, exist_ok=True)
    works = [
        Work(job.name, partial(_work, context, config, job), folder / LOGS / f"{job.name.replace('/', '-')}.log")
        for job in jobs
    ]
    cores = cpu_count()
    pool = Pool(min(len(jobs), num_at_once or max(1, cores // _threads(config, jobs))), cores)
    codes = dict[str, int]()
    with Interrupt() as interrupt, Screen(folder, [job.name for job in jobs]) as screen:
        for event in pool.run(works, interrupt):
            match event:
                case Started(name):
                    screen.started(name)
                case Told(name, words):
                    screen.told(name, words)
                case Ended(name, code):
                    codes[name] = code
                    screen.ended(name, code)
        if interrupt.signum is not None:
            raise Interrupted(interrupt.signum)
    return [_returned(job, codes[job.name], folder) for job in jobs]


def _name(line: Sequence[str], number: int) -> str:
    names = [word.partition("=")[2] for word in line if word.partition("=")[0] == SUBDIR]
    return names[-1] if names else str(number)


def _threads(config: DictConfig, jobs: Sequence[Job]) -> int:
    """The most that one of the jobs asks for."""
    words = [word.partition("=") for job in jobs for word in job.overrides]
    asked = [int(value) for key, _, value in words if key == THREADS and value.isdigit()]
    return max(1, OmegaConf.select(config, THREADS) or 1, *asked)


def _work(context: HydraContext, config: DictConfig, job: Job) -> int:
    """What a job's process does. Returns its exit code."""
    be_patient()
    setup_globals()
    configuration.register_resolvers()
    trust.install()
    loading.load_all([])
    sweep = context.config_loader.load_sweep_config(config, job.overrides)
    with open_dict(sweep):
        sweep.hydra.job.id = sweep.hydra.job.num = job.number
    try:
        returned = run_job(
            task_function=start_job,
            config=sweep,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key=SUBDIR,
            hydra_context=context,
        )
        _ = returned.return_value
    except JobFailed as failed:
        return failed.code
    except Interrupted as interrupted:
        return interrupted.exit_code
    return 0


def _returned(job: Job, code: int, folder: Path) -> JobReturn:
    status = JobStatus.COMPLETED if code == 0 else JobStatus.FAILED
    value = None if code == 0 else JobFailed(str(folder / job.name), code)
    return JobReturn(overrides=filter_overrides(job.overrides), status=status, _return_value=value)
