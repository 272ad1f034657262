"""How a run ends: what is said, and what is drawn of it as a whole."""

import logging
import shlex

from sdrun import configuration
from sdrun.account import command
from sdrun.comparison import rendering, single, tables
from sdrun.comparison.advice import next_step
from sdrun.comparison.runs import read
from sdrun.comparison.stages import judged
from sdrun.display import Display
from sdrun.hardware import usable_cores
from sdrun.judges.drawing import drawn
from sdrun.judges.metric import from_json, shown
from sdrun.settings import Settings, words
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record
from sdrun.storage.stage import StageResult
from sdrun.storage.sweeps import is_in_sweep

log = logging.getLogger(__name__)


def leave_alone(folder: RunFolder) -> None:
    """Say that a run is completed, and what is gone or damaged of its files; finish what a kill cut off."""
    if "writing" in folder.manifest:  # it was killed between its last two writes
        with folder.locked():
            pass
    told = [f"{folder.path} is completed; there is nothing to go on with"]
    if lost := folder.lost():
        told += [f"Gone or damaged: {', '.join(lost)}", f"Make it again by: {command(folder)}"]
    print("\n".join(map(words.printable, [*told, *_beyond_repair(folder)])))


def conclude(folder: RunFolder, display: Display, lost: list[str] | None) -> None:
    """Say what came out; of a run that was completed before, what of the ``lost`` was made again."""
    display.stop()
    if lost is None:
        _answer(folder, display)
        display.say(f"Run          {folder.path}")
        display.say(f"TensorBoard  {_tensorboard(folder)}")
        return
    made = [name for name in lost if name not in folder.lost()]
    display.say(f"Made again: {', '.join(made)}" if made else "There was nothing to make again")
    for text in _beyond_repair(folder):
        display.say(text)


def _answer(folder: RunFolder, display: Display) -> None:
    """What came out of a run, against what it holds itself against, and what to do next."""
    run = read(folder.path)
    if judged(run):
        result = single.whole(run)
        table, console = single.table(result), tables.console()
        columns = tables.show(table, console)
        log.info("%s", tables.plain(table))
        if costs := single.costs(result):
            columns += tables.show(costs, console)
            log.info("%s", tables.plain(costs))
        for line in rendering.footnotes(result, columns):
            tables.note(line, console)
        answers, asides = single.sentences(result), rendering.advantages(result)
        for line in answers:
            tables.line(line, console, "bold")
        for line in asides:
            tables.line(line, console)
        log.info("%s", "\n".join([*answers, *asides]))
    if not is_in_sweep(folder.path):
        for line in next_step(run, usable_cores()):
            tables.line(line, console)


def overview(record: Record, settings: Settings, results: list[StageResult], metrics: dict[str, float]) -> None:
    """Write what TensorBoard shows of the run as a whole; ``metrics``: of its final student."""
    trained = [result for result in results if result.steps and any(key.startswith("test/") for key in result.metrics)]
    pictures = {}
    if settings.pictures and len(trained) > 1:
        from sdrun.judges.pictures import over_stages

        names, values = [result.name for result in trained], [result.metrics for result in trained]
        declared = shown(from_json(trained[-1].declared))
        if figure := drawn(title := "test/over_stages", lambda: over_stages(names, values, declared)):
            pictures[title] = figure
    main = {key: value for key, value in metrics.items() if key.count("/") == 1}
    record.overview(dict(words.leaves(configuration.plain(settings))), main, pictures)


def _beyond_repair(folder: RunFolder) -> list[str]:
    damaged = [*folder.damaged_weights(), *([] if folder.is_record_whole() else [folder.metrics.name])]
    return [f"Damaged, and only a copy brings it back: {', '.join(damaged)}"] if damaged else []


def _tensorboard(folder: RunFolder) -> str:
    return shlex.join(["sdrun", "tensorboard", str(folder.path)])
