"""What is written of a finished stage: weights, predictions, pictures, metrics, and its mark."""

import io
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sdrun.display import Display
from sdrun.evaluation.drawing import drawn, show
from sdrun.evaluation.evaluator import Data, Evaluation, Networks, Outcome
from sdrun.loop import State
from sdrun.objectives.objective import Objective
from sdrun.settings import Settings
from sdrun.storage.checkpoints import save
from sdrun.storage.files import write_bytes, write_json
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record
from sdrun.streams.batch import Stream


@dataclass(frozen=True)
class Results:
    """Evaluates a stage and writes what comes out; the record must have begun the stage. On the first rank only."""

    settings: Settings
    data: Data
    evaluation: Evaluation
    folder: RunFolder
    record: Record
    display: Display

    def of_training(
        self, name: str, objective: Objective, stream: Stream, state: State, step_cost: int
    ) -> dict[str, Any]:
        """Keep the last and the best weights, evaluate both, and mark the stage as finished.

        ``step_cost``: multiply-adds of a step. Each is logged at its own step; the validation metrics that the loop
        logged there already are not logged again.
        """
        weights = {"last": {key: value.clone() for key, value in objective.state_dict().items()}}
        steps = {"last": state.step}
        if state.best:
            weights["best"], steps["best"] = state.best.weights, state.best.step
        chosen = self.settings.optim.select.value
        metrics: dict[str, float] = {}
        hashes = {}
        for kind in sorted(weights, key=lambda kind: steps[kind]):
            hashes[kind] = save(self.folder.weights(name, kind), weights[kind])
            objective.load_state_dict(weights[kind])
            outcome = self.evaluation.full(objective.networks)
            found = outcome.metrics
            if kind == chosen:
                self._keep(name, outcome, steps[kind])
                self._show_views(stream)
                new = {key: value for key, value in found.items() if key not in state.validated}
            else:
                found = new = {key.replace("/", f"/{kind}/", 1): value for key, value in found.items()}
            self.record.log(steps[kind], new)
            metrics |= found
        return self._mark(
            name,
            {
                "steps": state.step,
                "samples": state.step * stream.batch_size,
                "multiply_adds": state.step * step_cost,
                "seconds": round(state.seconds, 3),
                "samples_per_second": round(state.step * stream.batch_size / max(state.seconds, 1e-9), 1),
                "best_step": steps.get("best"),
                "sha256": hashes,
                "metrics": metrics,
            },
        )

    def of_evaluation(self, name: str, networks: Networks) -> dict[str, Any]:
        """Evaluate networks that no training made here, and mark the stage as finished."""
        outcome = self.evaluation.full(networks)
        self._keep(name, outcome, 0)
        self.record.log(0, outcome.metrics)
        return self._mark(name, {"steps": 0, "seconds": 0.0, "samples_per_second": None, "metrics": outcome.metrics})

    def _keep(self, name: str, outcome: Outcome, step: int) -> None:
        """Write predictions and documents, and draw what they show."""
        labels = {f"{part}_labels": self.data.labels[part] for part in self.data.parts}
        buffer = io.BytesIO()
        np.savez(buffer, **outcome.predictions, **labels)  # type: ignore[arg-type]
        write_bytes(self.folder.predictions(name), buffer.getvalue())
        for title, content in outcome.documents.items():
            write_json(self.folder.stage(name) / f"{title}.json", content)
        self._draw(outcome, step)

    def _draw(self, outcome: Outcome, step: int) -> None:
        for title, draw in outcome.pictures.items():
            show(title, draw, partial(self.record.picture, step=step))

    def _show_views(self, stream: Stream) -> None:
        from sdrun.evaluation.pictures import view_grid

        examples = drawn("views", lambda: stream.examples(6, 5, self.data.clean)) or {}
        for role, columns in examples.items():
            show(f"views/{role}", partial(view_grid, columns), partial(self.record.picture, step=0))

    def _mark(self, name: str, result: dict[str, Any]) -> dict[str, Any]:
        self.record.end()
        result = {"name": name, **result, "position": self.record.position()}
        self.folder.finish(name, result)
        self.display.end(name, result["metrics"])
        return result
