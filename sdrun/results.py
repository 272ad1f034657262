"""What is written of a finished stage: weights, predictions, pictures, metrics, and its mark."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdrun.display import Display
from sdrun.evaluation.evaluator import VALIDATED, Evaluator, Network
from sdrun.loop import State
from sdrun.objectives.objective import Objective
from sdrun.settings import Settings
from sdrun.storage.checkpoints import save
from sdrun.storage.files import write_bytes
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record
from sdrun.streams.images import ImageStream


@dataclass(frozen=True)
class Results:
    """Evaluates a stage and writes what comes out; the record must have begun the stage. On the first rank only."""

    settings: Settings
    classes: list[str]
    evaluator: Evaluator
    folder: RunFolder
    record: Record
    display: Display

    def of_training(self, name: str, objective: Objective, stream: ImageStream, state: State) -> dict[str, Any]:
        """Keep the last and the best weights, evaluate both, and mark the stage as finished.

        Each is logged at its own step; the validation metrics that the loop logged there already are not logged again.
        """
        weights = {"last": {key: value.clone() for key, value in objective.state_dict().items()}}
        steps = {"last": state.step}
        if state.best:
            weights["best"], steps["best"] = state.best.weights, state.best.step
        chosen = self.settings.optim.select.value
        metrics: dict[str, float] = {}
        hashes = {}
        for kind in sorted(weights, key=lambda kind: steps[kind]):
            hashes[kind] = save(self.folder.stage(name) / f"{kind}.pt", weights[kind])
            objective.load_state_dict(weights[kind])
            predictions = self.evaluator.predictions(objective.student)
            found = self.evaluator.metrics(predictions)
            if kind == chosen:
                if self.settings.dataset.label_noise:
                    found |= self.evaluator.label_fit(objective.student)
                self._keep(name, predictions, found, steps[kind], stream)
                new = {key: value for key, value in found.items() if key not in VALIDATED}
            else:
                found = new = {key.replace("/", f"/{kind}/", 1): value for key, value in found.items()}
            self.record.log(steps[kind], new)
            metrics |= found
        return self._mark(
            name,
            {
                "steps": state.step,
                "seconds": round(state.seconds, 3),
                "samples_per_second": round(state.step * stream.batch_size / max(state.seconds, 1e-9), 1),
                "best_step": steps.get("best"),
                "sha256": hashes,
                "metrics": metrics,
            },
        )

    def of_evaluation(self, name: str, network: Network) -> dict[str, Any]:
        """Evaluate a network that no training made, and mark the stage as finished."""
        predictions = self.evaluator.predictions(network)
        metrics = self.evaluator.metrics(predictions)
        self._keep(name, predictions, metrics, 0)
        self.record.log(0, metrics)
        return self._mark(name, {"steps": 0, "seconds": 0.0, "samples_per_second": None, "metrics": metrics})

    def _keep(
        self,
        name: str,
        predictions: dict[str, np.ndarray],
        metrics: dict[str, float],
        step: int,
        stream: ImageStream | None = None,
    ) -> None:
        """Write predictions, and draw what they show."""
        from sdrun.evaluation import pictures

        arrays = {f"{part}_logits": logits for part, logits in predictions.items()}
        arrays |= {f"{part}_labels": self.evaluator.labels[part] for part in predictions}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        write_bytes(self.folder.predictions(name), buffer.getvalue())

        logits, labels = predictions["test"], self.evaluator.labels["test"]
        temperature = metrics.get("val/temperature", 1.0)
        self.record.picture("test/reliability", pictures.reliability_diagram(logits, labels, temperature), step)
        self.record.picture("test/confusion", pictures.confusion_matrix(logits, labels, self.classes), step)
        if stream:
            columns = stream.examples(6, 5, self.evaluator.clean)
            self.record.picture(f"views/{stream.role}", pictures.view_grid(columns), 0)

    def _mark(self, name: str, result: dict[str, Any]) -> dict[str, Any]:
        self.record.end()
        result = {"name": name, **result, "position": self.record.position()}
        self.folder.finish(name, result)
        self.display.end(name, result["metrics"])
        return result
