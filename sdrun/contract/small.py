"""Small runs on the CPU, whole or in pieces, and in what two of them differ."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import torch
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig
from torch.optim.optimizer import register_optimizer_step_post_hook

from sdrun import preflight, run
from sdrun.configuration import register, settings_from
from sdrun.diagnosis import Diagnosis
from sdrun.errors import Interrupted, require
from sdrun.settings import Settings
from sdrun.storage.folder import RunFolder

FEW = (
    "optim.batch_size=20",
    "optim.max_steps=6",
    "log_every=2",
    "pictures=false",
    "hardware.device=cpu",
    "hardware.threads=1",
    "hardware.precision=fp32",
)
STRIDE = 4
"""Steps between two stops, in the middle of a stage and at other places of the next."""


def compose(*overrides: str) -> DictConfig:
    """The composition that ``sdrun OVERRIDES`` runs with."""
    register()
    (config,) = preflight.composed(get_args_parser().parse_args(list(overrides)))[1]
    return config


def settings(*overrides: str) -> Settings:
    """The settings of ``sdrun OVERRIDES``. Raises InputError."""
    return settings_from(compose(*overrides))


def start(path: Path, asked: Settings) -> RunFolder:
    """A run that nothing stops. Raises InputError or RunError where it does not end, or its folder is not whole."""
    with redirect_stdout(StringIO()):
        run.start(asked, path, [])
    bad = [finding.file for finding in Diagnosis(path).findings() if finding.is_bad]
    require(not bad, "its folder", f"is not whole: {', '.join(bad)}")
    return RunFolder.open(path)


def in_pieces(path: Path, asked: Settings) -> RunFolder:
    """The same, stopped as by a signal after every few steps, while random numbers are drawn elsewhere."""
    torch.manual_seed(123)
    with redirect_stdout(StringIO()), _stopping():
        try:
            run.start(asked, path, [])
        except Interrupted:
            while RunFolder.open(path).status != "completed":
                _go_on(path)
    return RunFolder.open(path)


def _go_on(path: Path) -> None:
    try:
        run.resume(path)
    except Interrupted:
        return


@contextmanager
def _stopping() -> Iterator[None]:
    count = 0

    def stop(*_: object) -> None:
        nonlocal count
        count += 1
        if count % STRIDE == 0:
            signal.raise_signal(signal.SIGTERM)

    hook = register_optimizer_step_post_hook(stop)
    try:
        yield
    finally:
        hook.remove()


def require_same(one: RunFolder, other: RunFolder, why: str) -> None:
    """Raise InputError unless every stage of two runs ended with the same weights, bit for bit."""
    mine, others = ({stage.name: (stage.steps, stage.sha256) for stage in run.results()} for run in (one, other))
    different = [name for name in {**mine, **others} if mine.get(name) != others.get(name)]
    require(not different, ", ".join(different), why)
