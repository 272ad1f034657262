"""README.md and the pages of docs as tests read them: blocks, commands, links, anchors."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
GENERATED = "results.md"
PAGES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name != GENERATED)]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
STARTS = re.compile(r"(sdrun|make|pip|python3?|apt|apt-get|torchrun) ")
FILE = re.compile(r"(?:# @package .*\n)?# (\S+\.(?:py|yaml))\n")


@dataclass(frozen=True)
class Block:
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that a block is, where its first line names one."""
        named = FILE.match(self.text)
        return named[1] if named else None


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text())]


def prose(page: Path) -> str:
    """A page without its blocks."""
    return FENCE.sub("", page.read_text())


def commands(page: Path) -> list[str]:
    """What a page shows to be typed, in its order: the lines of its shells, then what its prose has of them."""
    typed = []
    for block in blocks(page):
        if block.language == "sh":
            typed += block.text.replace("\\\n", "").splitlines()
        if block.language == "console":
            typed += re.findall(r"^\$ (.*)$", block.text, re.MULTILINE)
    bare = [re.sub(r"\s+# .*", "", line).strip() for line in typed]
    return [line for line in bare if line] + [span for span in spans(page) if not is_usage(span)]


def usages(page: Path) -> list[str]:
    """What a page says of the form of commands, with brackets around what may be left out."""
    return [block.text for block in blocks(page) if block.language == "usage"] + list(filter(is_usage, spans(page)))


def spans(page: Path) -> list[str]:
    """The commands in the prose of a page."""
    joined = [" ".join(span.split()) for span in SPAN.findall(prose(page))]
    return [span for span in joined if STARTS.match(span)]


def is_usage(command: str) -> bool:
    return bool(re.search(r"\[-|\[[A-Z]+\]|[A-Z]\.\.\.", command))


def words(line: str) -> Iterator[list[str]]:
    """The words of each of the commands that ``&&`` joins."""
    return map(shlex.split, line.split(" && "))


def anchors(page: Path) -> set[str]:
    """What its headings are called in links, as GitHub has it."""
    headings = HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    """Where a page leads to within the repository."""
    return [link for link in LINK.findall(prose(page)) if "://" not in link]
