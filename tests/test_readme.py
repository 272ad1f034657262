"""What README.md tells a newcomer to type is understood, and goes so far as to start where the data are at hand."""

import re
import shlex
from pathlib import Path

import pytest

from helpers import check, compose

TEXT = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if re.match(r"sdrun (-m )?\w+=", line)]
EMBEDDED = ("dataset=digits", "dataset=sentences")


@pytest.mark.parametrize("line", LINES)
def test_a_run_that_it_shows(line):
    words = [word.split(",")[0] for word in shlex.split(line, comments=True)[1:] if word not in ("-m", "--dry-run")]
    if "RUN_FOLDER" in line:
        words = [word for word in words if "RUN_FOLDER" not in word]
    is_at_hand = not any(word.startswith(("dataset=", "experiment=")) and word not in EMBEDDED for word in words)
    (check if is_at_hand else compose)(*words)


def test_there_are_some():
    assert len(LINES) >= 15
