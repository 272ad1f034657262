"""Device, threads, precision, compilation, process group: the only file that names them."""

import ctypes
import gc
import os
import platform
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import joblib
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sdrun.errors import InputError, Interrupted
from sdrun.ranks import local_rank, num_local_ranks, num_ranks, rank
from sdrun.settings import Device, HardwareSettings, Precision

Module = TypeVar("Module", bound=nn.Module)


WORK_OF_A_THREAD = 400_000_000
"""Multiply-adds of a forward pass from which on a further thread pays: with fewer, threads wait for each other."""


def resolve(settings: HardwareSettings, work: int = 0) -> HardwareSettings:
    """The same settings with every ``auto`` and null replaced by what this machine has.

    ``work``: multiply-adds of one forward pass of a process, by which alone the number of threads is chosen. Raises
    InputError for a device that is not there, and for more threads than cores.
    """
    cores = usable_cores()
    if settings.threads is not None and settings.threads > cores:
        raise InputError(
            f"hardware.threads: is {settings.threads}, but this process may use {cores} cores, and with more threads "
            f"than cores each step waits; use hardware.threads={cores}"
        )
    device = settings.device
    if device is Device.auto:
        device = Device.cuda if torch.cuda.is_available() else Device.cpu
    if device is Device.cuda and not torch.cuda.is_available():
        raise InputError("hardware.device: no CUDA device is here; use hardware.device=cpu")
    if device is Device.mps and not torch.backends.mps.is_available():
        raise InputError("hardware.device: no MPS device is here; use hardware.device=cpu")
    precision = settings.precision
    if precision is Precision.auto:
        precision = Precision.bf16 if _has_bf16(device) else Precision.fp32
    return replace(
        settings,
        device=device,
        threads=settings.threads or max(1, min(cores // num_local_ranks(), work // WORK_OF_A_THREAD)),
        precision=precision,
        channels_last=precision is Precision.bf16 if settings.channels_last is None else settings.channels_last,
    )


def _has_bf16(device: Device) -> bool:
    if device is Device.cuda:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device is not Device.cpu or not torch.backends.mkldnn.is_available():
        return False
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.9 has none
    return any("bf16" in name and bool(has) for name, has in capabilities.items())


def usable_cores() -> int:
    """Cores that this process may use, limits of containers heeded."""
    return joblib.cpu_count()


@dataclass(frozen=True)
class Hardware:
    """What a run computes on. ``settings`` are resolved; ``rank`` and ``world`` are those of torchrun."""

    settings: HardwareSettings
    device: torch.device
    rank: int
    world: int

    @classmethod
    def start(cls, settings: HardwareSettings, work: int = 0) -> "Hardware":
        """Set threads and allocator, take the device, and join the process group if torchrun started one.

        ``work``: see ``resolve``.
        """
        resolved = resolve(settings, work)
        torch.set_num_threads(resolved.threads or 1)
        _keep_freed_memory()
        device = torch.device(resolved.device.value)
        if device.type == "cuda":
            device = torch.device("cuda", local_rank())
            torch.cuda.set_device(device)
            torch.backends.cudnn.deterministic = True
        if num_ranks() > 1:
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(resolved, device, rank(), num_ranks())

    def close(self) -> None:
        """Leave the process group, so that the next run of a sweep starts clean."""
        if self.world > 1 and torch.distributed.is_initialized():
            gc.collect()  # wrapped models would keep the group, and its threads, until the interpreter is torn down
            torch.distributed.destroy_process_group()

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    @property
    def channels_last(self) -> bool:
        return bool(self.settings.channels_last)

    def autocast(self) -> AbstractContextManager:
        """Compute in bf16 where the settings say so."""
        on = self.settings.precision is Precision.bf16
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=on)

    def place(self, module: Module) -> Module:
        """Move a module to the device in its memory format, compiled if the settings say so."""
        memory_format = torch.channels_last if self.channels_last else torch.contiguous_format
        module.to(self.device, memory_format=memory_format)  # type: ignore[call-overload]
        if self.settings.compile:
            module.compile()
        return module

    def wrap(self, objective: nn.Module) -> nn.Module:
        """The objective as the ranks train it together: one forward, one backward, gradients averaged."""
        objective.to(self.device)
        if self.world == 1:
            return objective
        if self.device.type == "cuda":
            objective = nn.SyncBatchNorm.convert_sync_batchnorm(objective)
            return DistributedDataParallel(objective, device_ids=[self.device.index])
        return DistributedDataParallel(objective)

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over ranks."""
        if self.world == 1:
            return values
        total = values.clone()
        torch.distributed.all_reduce(total)
        return total / self.world

    def gather(self, values: Tensor) -> Tensor:
        """The rows of a tensor of every rank, the first rank's first; each has as many."""
        if self.world == 1:
            return values
        parts = [torch.empty_like(values) for _ in range(self.world)]
        torch.distributed.all_gather(parts, values.contiguous())
        return torch.cat(parts)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank."""
        if self.world == 1:
            return flag
        return bool(self.mean(torch.tensor(float(flag), device=self.device)) > 0)

    def from_main(self, compute: Callable[[], Any]) -> Any:
        """What ``compute`` gives on rank 0, on every rank; the others wait for it.

        Where it is interrupted, all are.
        """
        if self.world == 1:
            return compute()
        shared: list[Any] = [None, None]
        if self.is_main:
            try:
                shared[0] = compute()
            except Interrupted as interrupted:
                shared[1] = interrupted.signum
        torch.distributed.broadcast_object_list(shared, device=self.device)
        if shared[1] is not None:
            raise Interrupted(shared[1])
        return shared[0]

    def describe(self) -> dict[str, Any]:
        """The machine, for the manifest."""
        described: dict[str, Any] = {
            "machine": platform.machine(),
            "system": platform.system(),
            "processor": torch.backends.cpu.get_cpu_capability(),
            "cores": os.cpu_count(),
            "ranks": self.world,
            "device": str(self.device),
            "threads": self.settings.threads,
            "precision": self.settings.precision.value,
            "channels_last": self.channels_last,
            "compile": self.settings.compile,
        }
        if self.device.type == "cuda":
            described["gpu"] = torch.cuda.get_device_name(self.device)
        return described


def _keep_freed_memory() -> None:
    """Tell glibc to keep large freed blocks: given back to the kernel, activations fault in anew at every step."""
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    mmap_max, trim_threshold = -4, -1
    libc = ctypes.CDLL(None)
    libc.mallopt(mmap_max, 0)
    libc.mallopt(trim_threshold, -1)


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
