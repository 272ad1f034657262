"""Stages that come from training: each once, and the half-done from where it stood."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from sdrun import loop
from sdrun.context import Context
from sdrun.data.source import Fields
from sdrun.errors import RunError
from sdrun.judges.judge import Evaluable, Judge, TrainingJudge
from sdrun.judges.parts import require_finite
from sdrun.objectives.objective import Objective
from sdrun.recording import Recording, Silent
from sdrun.results import ITEMS, Results, load_items, make_items, recorded_digest
from sdrun.sharing import Sharing
from sdrun.storage.checkpoints import Checkpoints, load_state
from sdrun.storage.manifest import State
from sdrun.storage.stage import StageResult
from sdrun.streams.ahead import Ahead
from sdrun.streams.batch import Stream
from sdrun.teaching import announced

log = logging.getLogger(__name__)

KINDS = ("last", "best", ITEMS)


class Training:
    """Trains stages in a run's folder.

    Files of a finished stage that are damaged or gone are made again from its weights. ``note`` is called after each
    stage.
    """

    def __init__(self, context: Context, note: Callable[[], None]) -> None:
        self.context, self.note = context, note
        self.settings, self.hardware, self.folder = context.settings, context.hardware, context.folder
        self.record, self.sharing = context.record, Sharing(context)

    def fit(
        self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge, other: str = ""
    ) -> StageResult:
        """See ``Stages.fit``. Raises RunError where weights or teachers are not those that the run recorded."""
        from_main = self.hardware.from_main
        finished = result = from_main(lambda: self.folder.finished(name))
        if result is None:
            self._require_under_way(name)
            with _named(name), ExitStack() as held:
                result = from_main(lambda: held.enter_context(self.sharing.sought(name, objective, stream, judge)))
                if result is None:
                    state = self._train(name, objective, stream, judge)
                    result = from_main(
                        lambda: self._write(name, objective, stream, state, Results(self.context, judge, other))
                    )
        chosen = self.settings.optim.select.value
        recorded = recorded_digest(result, chosen)
        weights = load_state(self.folder.weights(name, chosen), self.hardware.device, recorded)
        objective.load_state_dict(weights)
        if self.record:
            Checkpoints(self.folder.stage(name)).clear()
            if finished:
                self._require_teachers(name, _sources(objective, stream))
                if self._is_lacking(name):
                    Results(self.context, judge).again(result, objective.networks, stream)
        self.note()
        return result

    def make(self, name: str, produce: Callable[[], Fields], teachers: list[dict[str, str]]) -> Fields:
        """See ``Stages.make``. Raises RunError where the items or the teachers are not those that the run recorded."""

        def result() -> StageResult:
            finished = self.folder.finished(name)
            if finished:
                self._require_teachers(name, teachers)
                if self.folder.lost(f"stages/{name}"):
                    self.folder.finish(finished, {})
                return finished
            self._require_under_way(name)
            self.folder.note_teachers(name, teachers)
            with _named(name):
                return make_items(self.context, name, produce)

        made: StageResult = self.hardware.from_main(result)
        self.note()
        return load_items(self.folder, made, self.hardware.device)

    def evaluate(self, name: str, network: Evaluable, judge: Judge, other: str = "") -> StageResult:
        """See ``Stages.evaluate``."""

        def result() -> StageResult:
            assert self.record
            finished = self.folder.finished(name)
            if finished is None:
                self.record.begin(name, 1, 0)
                with _named(name):
                    written = Results(self.context, judge, other).of_evaluation(name, {"": network})
                self._say_doubts(written, judge)
                return written
            if self._is_lacking(name):
                Results(self.context, judge).again(finished, {"": network}, None)
            return finished

        evaluated: StageResult = self.hardware.from_main(result)
        self.note()
        return evaluated

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        """See ``Stages.keep``. Raises RunError where it is gone or damaged, and comes out as another now."""

        def keep() -> None:
            self.folder.kept(name, make)

        self.hardware.from_main(keep)

    def release(self, name: str) -> None:
        """See ``Stages.release``."""

        def release() -> None:
            if (result := self.folder.finished(name)) and not result.released:
                self.folder.finish(replace(result, released=True), {})
            for kind in KINDS:
                self.folder.weights(name, kind).unlink(missing_ok=True)

        self.hardware.from_main(release)

    def released(self, name: str) -> StageResult | None:
        """See ``Stages.released``."""
        result: StageResult | None = self.hardware.from_main(lambda: self.folder.released(name))
        return result

    def _require_under_way(self, name: str) -> None:
        """Raise RunError where a stage of a completed run would have to happen again."""
        if self.folder.status == "completed":
            raise RunError(
                f"{name}: neither stages/{name}/done.json nor summary.json tells of it, or its weights are others; put "
                "these back from a copy, for a completed run is not trained again"
            )

    def _is_lacking(self, name: str) -> bool:
        """Whether anything that a finished stage wrote is gone or damaged, its weights apart."""
        predictions = f"predictions/{name}.npz"
        lost = self.folder.lost(predictions, f"stages/{name}", f"tensorboard/{name}")
        return bool(lost) or self.folder.state(predictions) is State.absent

    def _require_teachers(self, name: str, teachers: list[dict[str, str]]) -> None:
        """Raise RunError unless the stage was taught by the teachers that are there now."""
        earlier = self.folder.manifest["teachers"].get(name, teachers)
        if earlier != teachers:
            stages = ", ".join(teacher["stage"] for teacher in earlier)
            raise RunError(
                f"{name} was taught by other weights of {stages} than there are now; put those back, or remove "
                f"{self.folder.stage(name)} to train it anew"
            )

    def _write(
        self, name: str, objective: Objective, stream: Stream, state: loop.State, results: Results
    ) -> StageResult:
        # Also with optim.select=best, whose weights may be finite: this training diverged, as the loss of one step more
        # would have told, and whether a run counts must not depend on where it was stopped.
        require_finite("the weights", objective.state_dict().values())
        result = results.of_training(name, objective, stream, state)
        self._say_doubts(result, results.judge)
        self.sharing.keep(name)
        return result

    @staticmethod
    def _say_doubts(result: StageResult, judge: Judge) -> None:
        for doubt in judge.doubts(result.metrics):
            log.warning("%s: %s", result.name, doubt)

    def _say_teachers(self, name: str, objective: Objective, judge: Judge) -> None:
        if not judge.knows_gaps:
            return
        untaught = [stage for stage, teachers in self.folder.manifest["teachers"].items() if not teachers]
        teachers = [teacher["stage"] for teacher in objective.teachers]
        if line := announced(name, teachers, self.folder.results(), untaught, judge.declared):
            control = f"; under control={self.settings.control.value}" if objective.surrogate else ""
            self.context.display.tell("Teacher", [line + control])

    def _train(self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge) -> loop.State:
        checkpoints, settings = Checkpoints(self.folder.stage(name)), self.settings.of_stage(name)
        newest = self.hardware.from_main(checkpoints.newest)
        saved = load_state(newest, self.hardware.device) if newest else None
        recorder: loop.Recorder = Silent()
        if self.record:
            num_points = 0
            if saved:
                self._require_teachers(name, _sources(objective, stream))
                num_points = saved["points"]
            self.folder.note_teachers(name, _sources(objective, stream))
            self.record.begin(name, stream.steps_per_epoch, num_points)
            num_steps, optim = loop.num_steps(settings, stream), settings.optim
            if (optim.max_steps or 0) > num_steps:
                ended = f"{name} ends after {num_steps:,} steps, which are optim.epochs={optim.epochs}"
                log.warning("%s; for optim.max_steps=%d raise that", ended, optim.max_steps)
            display = self.context.display
            step = saved["state"]["step"] if saved else 0
            if not saved:
                self._say_teachers(name, objective, judge)
            display.begin(name, num_steps, stream.steps_per_epoch, step, judge.declared[0])
            recorder = Recording(self.record, display, checkpoints)
        has_validation = len(self.context.data.splits.validation) > 0
        state = loop.train(
            objective,
            Ahead(stream) if self.context.task.reads else stream,
            settings=settings,
            hardware=self.hardware,
            saved=saved,
            judge=judge if has_validation else None,
            recorder=recorder,
            interrupt=self.context.interrupt,
        )
        self.context.display.trained()
        return state


def _sources(objective: Objective, stream: Stream) -> list[dict[str, str]]:
    """Where the targets and the items of a stage come from, if not from the run's own data."""
    return [*objective.teachers, *stream.lineage]


@contextmanager
def _named(stage: str) -> Iterator[None]:
    """Errors of a stage begin with its name."""
    try:
        yield
    except RunError as error:
        raise RunError(f"{stage}: {error}") from error
