"""What an ask says at its end."""

import shlex

from rich.console import Console

from sdrun.asks.declaration import PLAIN, Asked
from sdrun.asks.folder import AskFolder
from sdrun.asks.page import sections
from sdrun.asks.pairs import equal_arm
from sdrun.asks.reading import pairs, runs
from sdrun.asks.words import answer, controls
from sdrun.claims.members import from_json
from sdrun.comparison import commands, tables
from sdrun.comparison.report import render
from sdrun.settings.words import parted, printable
from sdrun.storage.files import write_bytes
from sdrun.sweeps.arms import place
from sdrun.telling import tell

REPORT = "report.html"


def tell_answer(folder: AskFolder, asked: Asked, console: Console) -> None:
    """The sentence, where the best run lies, the command that makes it alone, and what to do next."""
    more = f"sdrun ask --resume {shlex.quote(str(folder.path))} --budget 1h"
    members = {member.name: member for member in from_json(folder.content.get("members", {}))}
    state = pairs(folder, asked)
    if not state.looks:
        text = f"Not decided: the time was up before the first look. Go on with: {more}"
        tables.line(printable(text), console, "bold")
        return
    plain = members[folder.content["plain"]]
    tables.line(printable(answer(state, folder, plain)), console, "bold")
    for line in controls(state):
        tables.line(printable(line), console)
    page = folder.path / REPORT
    write_bytes(page, render(f"sdrun ask: {folder.name}", sections(folder, asked)).encode(errors="backslashreplace"))
    at_equal = state.equal(state.winner) if state.winner else None
    is_beaten = at_equal is not None and at_equal.is_decided and not at_equal.is_better
    arm = PLAIN if state.winner is None else equal_arm(state.winner) if is_beaten else state.winner
    best = runs(folder, asked)[arm][0]
    tell(console, "Run", printable(str(folder.path / place(arm, 0))))
    alone = dict(map(parted, commands.words(best, commands.SEED, "pictures")))  # of words of one key the last counts
    tell(console, "Alone", commands.command([f"{key}={value}" for key, value in alone.items()], [0]))
    tell(console, "Report", printable(str(page)))
    if not state.is_decided and state.looks[-1].num < asked.most_seeds:
        tell(console, "More", printable(more))
