"""What README.md and the pages of docs show is typed, line by line; where they lead to is there."""

import re
import runpy
from pathlib import Path

import pytest
from documented import PAGES, ROOT, anchors, blocks, commands, links, usages, words
from ground import CLASSES, Ground, Reader

from helpers import compose
from sdrun.asks.measuring import Measured
from sdrun.asks.plan import Pace
from sdrun.sweeps import estimate

README = ROOT / "README.md"
MOST_WORDS, WIDTH = 900, 80
LANGUAGES = {"sh", "console", "usage", "python", "yaml", "csv", "text"}

LEFT_OUT = {
    r"pip (install|download) .+": "fetches from the network",
    r"python3 -m venv .+|source .+": "an environment of one's own; tests are in one",
    r"apt(-get)? install .+": "changes the system",
    r'eval "\$\(sdrun -sc install=bash\)"': "is for the shell that it is typed in",
    r"make \w+.*": "minutes or hours; that there is such a target is tested below",
    r"python scripts/.+": "minutes or hours; that there is such a script is tested below",
    r"torchrun .+": "starts processes, as tests/contract do; what they are asked for is composed below",
    r"sdrun tensorboard\b.*": "stays until it is stopped; tests/comparison/test_board.py has it",
    r"sdrun ask (?!.*--dry-run).+": "minutes or hours; tests/asks has one",
    r"sdrun -m experiment=(?!.*--dry-run).+": "hours; tests/test_experiments.py has a run of each",
    r"sdrun report ASK_FOLDER": "needs an ask; tests/asks has one",
    r"sdrun (ask|compare|doctor|report|resume|taps)": "the name of a verb; that there is such a one is tested below",
}
"""Lines that are not typed, and why."""

EVERY = sorted({command for page in PAGES for command in commands(page)})
MARKDOWN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")])


def is_left_out(command: str) -> bool:
    return any(re.fullmatch(pattern, command) for pattern in LEFT_OUT)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    return Ground(tmp_path_factory.mktemp("ground"))


def unmeasured(sides, *_) -> Measured:
    return Measured(0.01, 0.01, Pace(dict.fromkeys(sides, 1.0), {}, 2), {})


@pytest.fixture
def reader(ground, called, capsys, monkeypatch):
    def call(*arguments: str) -> tuple[int, str]:
        try:
            return called(*arguments)
        except SystemExit as ended:  # of Hydra, when it has told something
            return ended.code or 0, "".join(capsys.readouterr())

    monkeypatch.chdir(ground.folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(ground.folder / "cache"))
    monkeypatch.setattr(estimate, "show", lambda context, config, jobs, at_once: dict.fromkeys(jobs))
    monkeypatch.setattr(
        "sdrun.asks.sweep.measured", lambda sides, *_: Measured(0.01, 0.01, Pace(dict.fromkeys(sides, 1.0), {}, 2), {})
    )
    return Reader(ground, call)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_is_typed_and_ends_well(page, reader):
    scripts = [block for block in blocks(page) if block.language in ("python", "yaml")]
    for block in scripts:
        if block.file:
            reader.write(block.file, block.text)
    for command in commands(page):
        if not is_left_out(command):
            reader.type(command)
    for block in scripts:
        if not block.file:
            text = block.text.replace("RUN_FOLDER", reader.run("RUN_FOLDER"))
            used = runpy.run_path(reader.write("used.py", text))
            assert used["model"].classes == CLASSES
            assert used["probabilities"].shape == (1, len(CLASSES))


def test_what_is_said_of_images_of_ones_own_is_so(reader):
    page = ROOT / "docs/your_data.md"
    make, *_ = blocks(page)
    reader.write(make.file, make.text)
    text = "".join(map(reader.type, commands(page)[:2]))
    expected = next(block.text for block in blocks(page) if block.language == "text")
    assert "images of 1x8x8: 1,295 for training, 143 for validation, 359 for testing" in expected
    assert all(line in text for line in expected.splitlines())


def test_every_reason_to_leave_out_a_line_is_needed():
    assert [pattern for pattern in LEFT_OUT if not any(re.fullmatch(pattern, command) for command in EVERY)] == []


@pytest.mark.parametrize("command", [command for command in EVERY if is_left_out(command)])
def test_what_is_not_typed_is_there(command):
    if target := re.match(r"make ([\w-]+)", command):
        assert f"\n{target[1]}:" in (ROOT / "Makefile").read_text()
    if script := re.match(r"python (scripts/\S+)", command):
        assert (ROOT / script[1]).exists()
    if extra := re.match(r"pip install '?sdrun\[(\w+)\]", command):
        assert f"\n{extra[1]} = [" in (ROOT / "pyproject.toml").read_text()
    if started := re.match(r"(?:torchrun .* -m sdrun|sdrun -m) (.*)", command):
        compose(*next(words(re.sub(r",\S+| init_from=\S+", "", started[1]))))
    if verb := re.match(r"sdrun ([a-z]+)", command):
        assert (ROOT / f"sdrun/tools/{verb[1]}.py").exists()


@pytest.mark.parametrize("usage", sorted({usage for page in PAGES for usage in usages(page)}))
def test_options_that_a_form_shows_are_there(usage, reader):
    verb = usage.split()[1]
    _, text = reader.call(verb, "--help")
    for option in re.findall(r"(?<!\w)--?[a-z-]+", usage):
        assert option in text


def test_every_block_says_what_it_is():
    assert {block.language for page in PAGES for block in blocks(page)} <= LANGUAGES


@pytest.mark.parametrize("page", MARKDOWN, ids=named)
def test_where_it_leads_to_is_there(page):
    for link in links(page):
        place, _, anchor = link.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def test_the_first_page_is_short_and_narrow():
    assert len(README.read_text().split()) <= MOST_WORDS
    lines = [line for block in blocks(README) for line in block.text.splitlines()]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_every_page_is_led_to_from_the_first():
    assert {page for page in PAGES if page != README} <= {
        (ROOT / link.split("#")[0]).resolve() for link in links(README)
    }
