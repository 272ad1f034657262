"""Speed of the tools that read run folders: sdrun compare on 200 of them, sdrun list on 5,000.

python scripts/benchmark_tools.py [--rounds 5]. The folders are made up, with settings as a run has them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from sdrun.choices import conf_folder
from sdrun.configuration import register

METHODS = ("supervised", "born_again", "mean_teacher", "freematch")
METRICS = ("accuracy", "nll", "brier", "ece", "adaptive_ece", "aurc", "nll_calibrated", "ece_calibrated")


def made_up(folder: Path, num: int) -> None:
    """``num`` finished runs: methods in turn, each with as many seeds as it takes."""
    random = np.random.default_rng(0)
    register()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        configs = {name: compose("config", [f"method={name}"]) for name in METHODS}
    texts = {name: OmegaConf.to_yaml(config, resolve=True) for name, config in configs.items()}
    for number in range(num):
        name, seed = METHODS[number % len(METHODS)], number // len(METHODS)
        path = folder / name / "digits" / f"20260101-{number:06d}-000-1"
        path.mkdir(parents=True)
        metrics = {f"{part}/{word}": float(random.uniform()) for part in ("val", "test") for word in METRICS}
        kept = {"status": "completed", "method": configs[name].method.name, "model": "cnn", "dataset": "digits"}
        kept |= {"seed": seed, "overrides": [f"method={name}", f"seed={seed}"], "wall_seconds": 10.0}
        manifest = {"format": 1, "created": f"2026-01-01T00:00:{number % 60:02d}+00:00", **kept}
        manifest |= {"versions": {}, "hardware": {"threads": 1}, "teachers": {}, "init": None}
        manifest["data"] = {"train": f"{seed}", "validation": f"{seed}", "test": "same"}
        compute = {"steps": 100, "samples": 12800, "multiply_adds": 10**12, "seconds": 9.0}
        stage = {"name": name, **compute, "metrics": metrics}
        (path / "manifest.json").write_text(json.dumps(manifest, indent=2))
        (path / "summary.json").write_text(
            json.dumps({**kept, "compute": compute, "metrics": metrics, "stages": [stage]}, indent=2)
        )
        (path / "config.yaml").write_text(texts[name].replace("seed: 0", f"seed: {seed}"))
        for inside in ("stages", "predictions", "tensorboard", ".hydra"):
            (path / inside).mkdir()


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "sdrun", *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        few, many = Path(place) / "few", Path(place) / "many"
        made_up(few, 200)
        made_up(many, 5000)
        first = seconds(["list", str(many)])
        commands = {
            "sdrun --version": ["--version"],
            "compare, 200 runs": ["compare", str(few)],
            "list, 5,000 runs": ["list", str(many)],
            "list, sorted by a metric": ["list", str(many), "--sort", "test/accuracy"],
            "list, one method and setting": ["list", str(many), "--where", "method=born_again", "method.alpha=0.5"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(seconds(command))
    print(f"{'list, 5,000 runs, first time':<30} {first:6.2f} s")
    for name, found in times.items():
        print(f"{name:<30} {statistics.median(found):6.2f} s  ({min(found):.2f} to {max(found):.2f})")


if __name__ == "__main__":
    main()
