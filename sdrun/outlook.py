"""What is ahead of a run: stages to come, and how long they take by those that were seen. Imports no torch."""

from collections.abc import Iterable


class Outlook:
    """Where a run is among its trainings, which are known by the names of their ``stages``.

    ``now`` is in seconds, of any clock. A stage that is to come takes as long as the latest that was seen. The first
    steps of a training are slow, so its pace is measured from the first that was reached.
    """

    def __init__(self, stages: Iterable[str] = ()) -> None:
        self.stages = list(stages)
        self.stage, self.step, self.num_steps = "", 0, 0
        self.num_reached, self._is_trained = 0, False
        self._pace: float | None = None
        self._mark = (0, 0.0)
        self._after = self._expected = self._since = 0.0

    @property
    def number(self) -> int:
        """The place of the stage, from 1 on; 0 before the first."""
        return self.stages.index(self.stage) + 1 if self.stage else 0

    @property
    def label(self) -> str:
        """The stage, with its place where there are several."""
        return f"{self.stage}, stage {self.number} of {len(self.stages)}" if len(self.stages) > 1 else self.stage

    def begin(self, stage: str, step: int, num_steps: int, now: float) -> None:
        """A training starts, or goes on at a step. One that nobody named is one more."""
        if stage not in self.stages:
            self.stages.append(stage)
        self.stage, self.step, self.num_steps = stage, step, num_steps
        self.num_reached, self._is_trained, self._mark = 0, False, (step, now)
        self._expect((self._pace or 0.0) * (num_steps - step), now)

    def reached(self, step: int, now: float) -> None:
        """A step is done, and maybe a look at the validation split."""
        marked, then = self._mark
        if step == marked:
            return
        if self.num_reached or self._pace is None:
            self._pace = (now - then) / (step - marked)
        if not self.num_reached:
            self._mark = step, now
        self.step, self.num_reached = step, self.num_reached + 1
        self._expect(self._pace * (self.num_steps - step), now)

    def trained(self, now: float) -> None:
        """The last step is done, maybe earlier than was planned, and what was trained is judged."""
        self.step, self._is_trained = self.num_steps, True
        self._expect(self._after, now)

    def ended(self, now: float) -> None:
        """What was trained is judged, drawn and written."""
        self._after = now - self._since
        self._expect(0.0, now)

    def seconds(self, now: float) -> float | None:
        """What is left of the run; None while nothing tells."""
        if self._pace is None:
            return None
        each = self._pace * self.num_steps + self._after
        after = 0.0 if self._is_trained else self._after
        return max(0.0, self._expected - (now - self._since)) + after + each * (len(self.stages) - self.number)

    def _expect(self, seconds: float, now: float) -> None:
        """Of what runs now."""
        self._expected, self._since = seconds, now
