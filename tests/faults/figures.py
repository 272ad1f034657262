"""What became of many trials, and the table of it."""

from collections import Counter
from dataclasses import dataclass, field

FAILED = "FAILED"


@dataclass
class Figures:
    """Trials by row and outcome; ``failures`` says of each failed one how to do it again."""

    title: str
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, row: str, outcome: str, detail: str = "") -> None:
        self.counts.setdefault(row, Counter())[outcome] += 1
        if outcome == FAILED:
            self.failures.append(f"{row}: {detail}")

    def count(self, row: str, column: str, num: int) -> None:
        """Add to a column of its own, which is no outcome."""
        self.counts.setdefault(row, Counter())[column] += num

    @property
    def num(self) -> int:
        return sum(sum(counter.values()) for counter in self.counts.values())

    def __str__(self) -> str:
        """A Markdown table, and the failures below it."""
        outcomes = list(dict.fromkeys(outcome for counter in self.counts.values() for outcome in counter))
        outcomes.sort(key=lambda outcome: outcome == FAILED)
        lines = [f"### {self.title}", "", f"| | {' | '.join(outcomes)} |", f"|---|{'---:|' * len(outcomes)}"]
        rows = {**self.counts, "all": sum(self.counts.values(), Counter())}
        lines += [f"| {row} | {' | '.join(str(n[outcome] or '') for outcome in outcomes)} |" for row, n in rows.items()]
        return "\n".join([*lines, "", *(f"FAILED {failure}" for failure in self.failures)])
