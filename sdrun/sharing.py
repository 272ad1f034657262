"""Stages that another run of the same sweep has trained: taken from its store, and put there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from sdrun import progress
from sdrun.context import Context
from sdrun.identity import Unknowable, identity, source_digest
from sdrun.judges.judge import TrainingJudge
from sdrun.objectives.objective import Objective
from sdrun.storage.stage import StageResult
from sdrun.storage.store import Entry, take
from sdrun.streams.batch import Stream

log = logging.getLogger(__name__)

MEANINGLESS = ("method", "control", "checkpoint_seconds")
"""Settings that change nothing of a stage; what method and control come to is in objective, stream and judge."""

RECORDED = ("versions", "plugins", "hardware", "data", "init")
"""Entries of a manifest that a stage depends on."""


class Sharing:
    """Of the stages of one run, on its first rank; without a store nothing is shared."""

    def __init__(self, context: Context) -> None:
        self.context, self.store, self.folder = context, context.store, context.folder
        self._key: str | None = None

    @contextmanager
    def sought(
        self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge
    ) -> Iterator[StageResult | None]:
        """The stage as another run has trained it; or None, and then this one is to, and to ``keep`` it for others."""
        key = self._identity(name, objective, stream, judge)
        if self.store is None or key is None:
            yield None
            return
        with self.store.holding(key, self.context.interrupt, progress.aside) as entry:
            if entry:
                yield self._taken(name, key, entry, [*objective.teachers, *stream.lineage])
            else:
                self._key = key
                yield None
                self._key = None

    def keep(self, name: str) -> None:
        """Let other runs have a stage that was sought and is finished."""
        if self.store and self._key and self.context.record:
            self.store.put(self._key, name, self.folder, self.context.record)

    def _taken(self, name: str, key: str, entry: Entry, teachers: list[dict[str, str]]) -> StageResult:
        assert self.context.record
        self.folder.note_teachers(name, teachers)
        shared = {**self.folder.manifest.get("shared", {}), name: {"run": entry.run, "key": key}}
        take(entry, self.folder, self.context.record, shared=shared)
        result = self.folder.finished(name)
        assert result
        self.context.display.say(f"{name}: as {entry.run} has trained it, which took {result.seconds:.1f} s")
        progress.tell(progress.Saved(name, result.seconds))
        return result

    def _identity(self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge) -> str | None:
        if self.store is None:
            return None
        settings, manifest = self.context.settings.of_stage(name), self.folder.manifest
        meant = {
            field.name: getattr(settings, field.name) for field in fields(settings) if field.name not in MEANINGLESS
        }
        recorded: dict[str, Any] = {entry: manifest.get(entry) for entry in RECORDED}
        try:
            return identity(source_digest(), name, meant, recorded, objective, stream, judge)
        except Unknowable as error:
            log.info("%s is shared with no other run, for it holds a %s", name, error)
            return None
