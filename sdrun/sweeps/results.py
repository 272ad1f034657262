"""``results.csv``: a row for each job of a sweep, with what it was asked for and what came out."""

import csv
import io
from pathlib import Path

from sdrun.comparison.index import listing
from sdrun.settings.words import parted
from sdrun.storage.files import write_bytes
from sdrun.storage.sweeps import RESULTS, SweepFolder


def write_results(path: Path) -> None:
    """Write the table of the sweep in ``path`` anew, from what its folder and those of its runs say."""
    folder = SweepFolder.open(path)
    runs = {entry.path.relative_to(folder.path).as_posix(): entry for entry in listing(folder.path, False).entries}
    asked = {name: dict(parted(word) for word in job.overrides) for name, job in folder.jobs.items()}
    keys = dict.fromkeys(key for words in asked.values() for key in words)
    metrics = dict.fromkeys(metric for name in folder.jobs if name in runs for metric in runs[name].metrics)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["job", "status", "reason", *keys, *metrics])
    for name, job in folder.jobs.items():
        outcome = runs[name].metrics if name in runs else {}
        words = [asked[name].get(key, "") for key in keys]
        table.writerow([name, job.status, job.reason, *words, *(outcome.get(metric, "") for metric in metrics)])
    write_bytes(folder.path / RESULTS, text.getvalue().encode())
