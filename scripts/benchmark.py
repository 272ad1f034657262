"""Samples a second through sdrun against a bare PyTorch loop with the same model, data, views and precision.

    python scripts/benchmark.py [--rounds 5] [--steps 200] [--dataset fashion_mnist] [--model cnn] [--threads 1]

The two alternate in one process after a warm-up round of each; the medians and their ratio are printed. Then images a
second of the view pipelines alone: all crops of an image, as DINO sees it, and the strong view beside a pipeline of
torchvision's RandAugment on Pillow's images, one by one.
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
from bare import DINO, Bare, Compression, FixMatch, MultiExit, Plain
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig

from sdrun import preflight, run
from sdrun.configuration import register, settings_from
from sdrun.hardware import Hardware
from sdrun.settings import Settings
from sdrun.tasks.images.views.view import Normalise, View

CASES = {
    "supervised": ("supervised", []),
    "born_again": ("generation_1", ["generations=2"]),
    "layerwise": ("layerwise", ["method.alpha=0", "method.beta=0"]),
    "fixmatch": ("consistency", []),
    "compress": (
        "taught",
        [
            "teacher_model=cnn",
            "teacher_model.widths=[32,64,128]",
            "model.widths=[16,32,64]",
            "method.alone=false",
            "dataset.num_labels=2000",
            "method.unlabelled_ratio=3",
        ],
    ),
    "online": (
        "period_1",
        [
            *("dataset/stream=rotation", "dataset.num_labels=2000", "dataset.stream.periods=1"),
            *("dataset.train_size=8000", "optim=sgd", "optim.schedule=cosine", "model.widths=[16,32,64]"),
        ],
    ),
    "dino": ("dino", ["method.out_dim=256", "method.teacher_temperature=0.04", "method.momentum=0.99"]),
}
BATCH = 64


def compose(arguments: argparse.Namespace, method: str) -> DictConfig:
    overrides = [
        f"method={method}",
        *CASES[method][1],
        f"dataset={arguments.dataset}",
        f"model={arguments.model}",
        "hardware.device=cpu",
        f"hardware.threads={arguments.threads}",
        f"hardware.precision={arguments.precision}",
        f"optim.max_steps={arguments.steps}",
        "optim.epochs=1000",
        "pictures=false",
    ]
    return next(preflight.composed(get_args_parser().parse_args(overrides))[1])


def through_sdrun(settings: Settings, stage: str) -> float:
    """Samples a second that a run reports of one of its stages."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        run.start(settings, Path(folder) / "run", [])
        summary = json.loads((Path(folder) / "run/summary.json").read_text())
    return next(found["samples_per_second"] for found in summary["stages"] if found["name"] == stage)


def bare_loop(method: str, settings: Settings, hardware: Hardware) -> Bare:
    if method == "dino":
        return DINO(settings, hardware)
    if method == "fixmatch":
        return FixMatch(settings, hardware)
    if method == "layerwise":
        return MultiExit(settings, hardware)
    if method == "compress":
        return Compression(settings, hardware)
    return Plain(settings, hardware, taught=method == "born_again")


def compare(name: str, ours: Callable[[], float], bare: Callable[[], float], rounds: int) -> None:
    ours(), bare()
    pairs = [(ours(), bare()) for _ in range(rounds)]
    left, right = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    spread = f"{min(a / b for a, b in pairs):.3f} to {max(a / b for a, b in pairs):.3f}"
    print(f"{name:<26} sdrun {left:9,.0f}/s   bare {right:9,.0f}/s   ratio {ratio:.3f} ({spread})", flush=True)


def measure_views(dataset: str, size: int, rounds: int) -> None:
    """Images a second of two global and six local crops, as DINO sees the images of a dataset; on random pixels."""
    config = next(preflight.composed(get_args_parser().parse_args([f"dataset={dataset}"]))[1])
    data = settings_from(preflight.without_hydra(config)).dataset
    normalise = Normalise(data.mean, data.std, torch.device("cpu"), channels_last=True)
    images = torch.randint(0, 256, (BATCH, len(data.mean), size, size), dtype=torch.uint8)
    numbers = {"global": 2, "local": 6}
    views = {role: View(data.views[role], normalise) for role in numbers}

    def once(repeats: int = 20) -> float:
        started = time.perf_counter()
        for _ in range(repeats):
            for role, num in numbers.items():
                views[role](images.repeat(num, 1, 1, 1), torch.rand(num * BATCH, views[role].num_draws))
        return repeats * BATCH / (time.perf_counter() - started)

    once()
    rates = [once() for _ in range(rounds)]
    crops = " and ".join(f"{num} of {data.views[role].side(size)}" for role, num in numbers.items())
    spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
    print(f"{f'views of {dataset}: {crops} pixels':<52} {statistics.median(rates):9,.0f} images/s ({spread})")


def measure_strong(dataset: str, size: int, rounds: int) -> None:
    """Images a second of the strong view and of the same kind of view on single images, taking turns."""
    from torchvision import transforms

    config = next(preflight.composed(get_args_parser().parse_args([f"dataset={dataset}"]))[1])
    data = settings_from(preflight.without_hydra(config)).dataset
    view = View(data.views["strong"], Normalise(data.mean, data.std, torch.device("cpu"), channels_last=True))
    num = 7 * BATCH
    images = torch.randint(0, 256, (num, len(data.mean), size, size), dtype=torch.uint8)
    pictures = [transforms.functional.to_pil_image(image) for image in images]
    share = data.views["strong"].cutout ** 2
    augment = transforms.RandAugment(2, 10)
    alone = transforms.Compose([augment, transforms.PILToTensor()])
    whole = transforms.Compose(
        [
            *([transforms.RandomHorizontalFlip()] if data.views["strong"].flip else []),
            transforms.RandomCrop(size, data.views["strong"].crop),
            augment,
            transforms.ToTensor(),
            transforms.Normalize(data.mean, data.std),
            transforms.RandomErasing(1.0, (share, share), (1, 1)),
        ]
    )

    def rate(compute: Callable[[], object]) -> float:
        started = time.perf_counter()
        compute()
        return num / (time.perf_counter() - started)

    def ours() -> float:
        return 10 * rate(lambda: [view(images, torch.rand(num, view.num_draws)) for _ in range(10)])

    def singly(transform: Callable) -> Callable[[], float]:
        return lambda: rate(lambda: torch.stack([transform(picture) for picture in pictures]))

    for name, theirs in (("all of it on Pillow's images", whole), ("RandAugment alone on Pillow's", alone)):
        compare(f"strong view of {dataset}, {size} pixels, against {name}", ours, singly(theirs), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--dataset", default="fashion_mnist")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--methods", nargs="*", default=list(CASES), choices=list(CASES))
    arguments = parser.parse_args()
    register()
    settings = settings_from(compose(arguments, "supervised"))
    hardware = Hardware.start(settings.hardware)
    for method in arguments.methods:
        stage, _ = CASES[method]
        config = compose(arguments, method)
        if method == "dino":
            config.dataset.num_labels = 500  # the controls are evaluated in every round, and that is not timed
        settings = settings_from(config)
        bare = bare_loop(method, settings, hardware)
        compare(f"{method}: {stage}", lambda s=settings, n=stage: through_sdrun(s, n), bare, arguments.rounds)
    for dataset, size in (("fashion_mnist", 28), ("cifar10", 32)):
        measure_views(dataset, size, arguments.rounds)
        measure_strong(dataset, size, arguments.rounds)


if __name__ == "__main__":
    main()
