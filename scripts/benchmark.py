"""Samples a second through sdrun against a bare PyTorch loop with the same model, data, views and precision.

    python scripts/benchmark.py [--rounds 5] [--steps 200] [--dataset fashion_mnist] [--model cnn] [--threads 1]

The two alternate in one process after a warm-up round of each; the medians and their ratio are printed. The bare loop
stands below in full: what a careful person would write for this one case, without a record, checkpoints or signals.
"""

import argparse
import contextlib
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun import models, preflight, run
from sdrun.configuration import register_resolvers, settings_from
from sdrun.datasets import sources
from sdrun.datasets.images import split
from sdrun.hardware import Hardware
from sdrun.models.backbone import classifier
from sdrun.settings import Precision, Settings
from sdrun.views.view import Normalise, View


def compose(arguments: argparse.Namespace, method: str) -> DictConfig:
    overrides = [
        f"method={method}",
        f"dataset={arguments.dataset}",
        f"model={arguments.model}",
        "hardware.device=cpu",
        f"hardware.threads={arguments.threads}",
        f"hardware.precision={arguments.precision}",
        f"optim.max_steps={arguments.steps}",
        "optim.epochs=1000",
    ]
    if method == "born_again":
        overrides.append("generations=2")
    return preflight.without_hydra(preflight.composed(get_args_parser().parse_args(overrides))[0])


def through_sdrun(config: DictConfig, stage: str) -> float:
    """Samples a second that a run reports of one of its stages."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        run.start(config, Path(folder) / "run", [])
        summary = json.loads((Path(folder) / "run/summary.json").read_text())
    return next(found["samples_per_second"] for found in summary["stages"] if found["name"] == stage)


class Bare:
    """The same training without sdrun's loop: data and views are shared, the rest is written out."""

    def __init__(self, settings: Settings, hardware: Hardware, taught: bool) -> None:
        splits = split(sources.load(settings.dataset), settings.dataset)
        self.settings, self.hardware = settings, hardware
        self.images, self.labels = torch.tensor(splits.train.images), torch.tensor(splits.train.labels)
        normalise = Normalise(
            settings.dataset.mean, settings.dataset.std, hardware.device, bool(hardware.settings.channels_last)
        )
        self.view = View(settings.dataset.views["weak"], normalise)
        self.num_classes = len(splits.classes)
        self.teacher = self.network().eval() if taught else None

    def network(self) -> nn.Module:
        channels, size = self.images.shape[1:3]
        network = classifier(models.backbone(self.settings.model, channels, size), self.num_classes)
        is_last = self.hardware.settings.channels_last
        return network.to(memory_format=torch.channels_last if is_last else torch.contiguous_format)

    def loss(self, student: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        on = self.hardware.settings.precision is Precision.bf16
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=on):
            if self.teacher is None:
                return F.cross_entropy(student(x).float(), y)
            with torch.no_grad():
                targets = self.teacher(x).float()
            logits = student(x).float()
            distance = F.kl_div(logits.log_softmax(1), targets.log_softmax(1), reduction="batchmean", log_target=True)
            return 0.5 * F.cross_entropy(logits, y) + 0.5 * distance

    def __call__(self) -> float:
        optim, steps = self.settings.optim, self.settings.optim.max_steps or 0
        student = self.network().train()
        decayed = [p for p in student.parameters() if p.ndim > 1]
        plain = [p for p in student.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": optim.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimizer = torch.optim.SGD(groups, lr=optim.lr, momentum=0.9, nesterov=True, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, optim.lr, steps, pct_start=optim.warmup, cycle_momentum=False
        )
        batch, order, place = optim.batch_size, torch.randperm(len(self.labels)), 0
        started = time.perf_counter()
        for _ in range(steps):
            if place + batch > len(order):
                order, place = torch.randperm(len(self.labels)), 0
            index = order[place : place + batch]
            place += batch
            x = self.view(self.images[index], torch.rand(batch, self.view.num_draws))
            self.loss(student, x, self.labels[index]).backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        return steps * batch / (time.perf_counter() - started)


def compare(name: str, ours: Callable[[], float], bare: Callable[[], float], rounds: int) -> None:
    ours(), bare()
    pairs = [(ours(), bare()) for _ in range(rounds)]
    left, right = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    spread = f"{min(a / b for a, b in pairs):.3f} to {max(a / b for a, b in pairs):.3f}"
    print(f"{name:<26} sdrun {left:9,.0f}/s   bare {right:9,.0f}/s   ratio {ratio:.3f} ({spread})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--dataset", default="fashion_mnist")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()
    register_resolvers()
    for method, stage in (("supervised", "supervised"), ("born_again", "generation_1")):
        config = compose(arguments, method)
        settings = settings_from(config)
        hardware = Hardware.start(settings.hardware)
        bare = Bare(settings, hardware, taught=method == "born_again")
        compare(f"{method}: {stage}", lambda c=config, s=stage: through_sdrun(c, s), bare, arguments.rounds)


if __name__ == "__main__":
    main()
