"""Run folders that no training made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

LABELS = np.arange(200) % 10


def made_run(
    path: Path,
    seed: int,
    accuracy: float | None = 0.8,
    method: str = "supervised",
    status: str = "completed",
    test: str = "test",
    metrics: dict[str, Any] | None = None,
    **settings: Any,
) -> Path:
    """A run of ``method`` whose settings are ``settings`` by dotted key with ``__`` for a dot."""
    values = {"seed": seed, "dataset.seed": seed, "dataset.name": "digits", "optim.epochs": 10, "model.widths": [8]}
    values |= {"method.name": method, "hardware.threads": 1}
    values |= {key.replace("__", "."): value for key, value in settings.items()}
    found = {"test/accuracy": accuracy, "test/nll": 0.5, "test/nll_calibrated": 0.4, "test/ece": 0.1, **(metrics or {})}
    kept = {"status": status, "method": method, "model": "cnn", "dataset": "digits", "seed": seed}
    kept |= {"overrides": [f"method={method}", f"seed={seed}"], "wall_seconds": 60.0}
    data = {"train": f"train {seed}", "validation": f"validation {seed}", "test": test}
    manifest = {"format": 1, "created": "2026-01-01T00:00:00+00:00", **kept, "data": data, "teachers": {}, "init": None}
    manifest |= {"hardware": {"threads": 1, "ranks": 1}, "resumed": []}
    stage = {"name": method, "steps": 10, "seconds": 1.0, "metrics": found}
    compute = {"steps": 10, "samples": 100, "multiply_adds": 1000, "seconds": 1.0}
    path.mkdir(parents=True)
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "config.yaml").write_text(yaml.safe_dump(nested(values)))
    (path / "summary.json").write_text(json.dumps({**kept, "compute": compute, "metrics": found, "stages": [stage]}))
    return path


def predicted(path: Path, right: np.ndarray) -> Path:
    """Give a run predictions that are right where ``right`` [200] says so."""
    logits = np.eye(10)[np.where(right, LABELS, (LABELS + 1) % 10)]
    stage = json.loads((path / "summary.json").read_text())["stages"][0]["name"]
    (path / "predictions").mkdir()
    np.savez(path / f"predictions/{stage}.npz", test_logits=logits, test_labels=LABELS)
    return path


def nested(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        *groups, last = key.split(".")
        place = found
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return found
