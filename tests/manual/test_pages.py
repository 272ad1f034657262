"""What sdrun help and sdrun methods show: from docstrings and YAML comments alone, and as they are meant."""

import doctest
import shlex
import subprocess
import sys

import pytest
from hydra._internal.utils import get_args_parser
from omegaconf import OmegaConf

from sdrun import methods, preflight
from sdrun.choices import choices
from sdrun.compositions import Compositions
from sdrun.configuration import register
from sdrun.judges.metric import BY_KIND
from sdrun.keys import method_keys
from sdrun.manual import docstring, layout
from sdrun.manual.choice import choice
from sdrun.settings import Situation
from sdrun.settings.words import ALIASES, GROUPS, parted

LONGEST = {60: 60, 80: 80, 120: layout.WIDEST}


@pytest.fixture(scope="module")
def compositions():
    """Each choice is composed once for all tests of this module."""
    register()
    arguments = get_args_parser().parse_args([])
    return Compositions(preflight.composed(arguments)[0], preflight._loader(arguments))


@pytest.fixture
def shown(called, monkeypatch):
    def show(width: int, *arguments: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        code, text = called(*arguments)
        assert code == 0, text
        return text.splitlines()

    return show


@pytest.mark.parametrize("module", [docstring, layout])
def test_its_examples_are_true(module):
    results = doctest.testmod(module)
    assert results.attempted
    assert not results.failed


def test_what_a_page_shows_is_what_a_run_gets(compositions):
    for name in ("born_again", "freematch", "layerwise_byot", "dino"):
        page = choice(name)
        shown = {knob.key: OmegaConf.create(f"x: {knob.default}").x for knob in page.knobs if knob.default}
        values = compositions.settings([f"method={name}"])
        expected = {key: value for key, value in values.items() if key.startswith("method.") or key in shown}
        assert {**shown, "method.name": page.method} == expected
        beside = {key: OmegaConf.create(f"x: {value}").x for key, value in map(parted, page.beside)}
        assert {key: values[ALIASES.get(key, key)] for key in beside} == beside


def test_every_knob_has_a_comment():
    for name in choices("method"):
        assert [knob.key for knob in choice(name).knobs if not knob.comment] == []


def test_every_method_says_when_to_use_it_and_what_to_expect():
    for name in methods.names():
        assert isinstance(methods.settings_class(name).situation, Situation)
        assert docstring.docstring(name).sections.keys() == {*docstring.SECTIONS} - {"Try"}


def test_the_commands_to_start_with_name_what_is_there(compositions):
    """Without a composition for each: by their keys and choices."""
    common = {key for key in compositions.settings([]) if not key.startswith("method.")}
    for name in methods.names():
        commands = docstring.docstring(name).commands
        assert commands
        for command in commands:
            pairs = [parted(word) for word in shlex.split(command)[1:] if word != "-m"]
            chosen = dict(pairs).get("method", name).split(",")
            assert choice(chosen[0]).method == name
            keys = common.union(*(method_keys(choice(one).method) for one in chosen))
            for key, value in pairs:
                assert {*value.split(",")} <= {*choices(key)} if key in GROUPS else key in keys, command


@pytest.mark.parametrize("width", LONGEST)
def test_pages_fit_their_terminal(width, shown):
    for arguments in (["help"], ["help", "dino"], ["help", "freematch"], ["help", "metrics"], ["methods"]):
        lines = shown(width, *arguments)
        wide = [line for line in lines if len(line) > LONGEST[width] and not line.strip().startswith("sdrun ")]
        assert wide == []
        assert [line for line in lines if line != line.rstrip()] == []


def unbraced(word):
    """The names that a shell makes of one with braces."""
    name, brace, rest = word.partition("{")
    return [name + end for end in rest.rstrip("}").split(",")] if brace else [word]


def test_what_there_is_fits_one_screen(shown):
    lines = shown(80, "help")
    assert lines == shown(80, "--help") == shown(80, "method=dino", "-h")
    assert len(lines) < 40
    assert all(line.startswith("  sdrun ") for line in lines[1:4])
    words = {name for line in lines for word in line.split() for name in unbraced(word.strip(",;"))}
    assert {name for group in GROUPS[:-1] for name in choices(group)} <= words
    assert {"tensorboard", "methods", "--plugin"} <= words


def test_a_choice_is_told_by_its_own_values(shown):
    lines = shown(100, "help", "fixmatch")
    assert lines[1:3] == [
        "FixMatch (2001.07685): pseudo-labels of confident items.",
        "method=fixmatch is method=consistency with other values.",
    ]
    assert "  method.threshold           0.95       confidence of the teacher, for fixed and curriculum" in lines
    assert "  sdrun method=fixmatch dataset.num_labels=40" in lines
    text = " ".join(" ".join(shown(100, "help", "dino")).split())
    assert "It sets optim=adamw, optim.batch_size=64, optim.lr=2e-3," in text


def test_every_metric_is_told_once(shown):
    lines = [line.split() for line in shown(100, "help", "metrics")]
    told = [words[0] for words in lines if len(words) > 2 and words[1] in ("higher", "lower", "neither")]
    declared = [metric for metrics in BY_KIND.values() for metric in metrics]
    assert all(bool(metric.meaning) == (not metric.title.endswith("*")) for metric in declared)
    assert told == [metric.name for metric in declared if not metric.title.endswith("*")]


def test_methods_are_told_by_situation_the_baseline_first(shown):
    lines = shown(100, "methods")
    heads = [line for line in lines if line in {situation.value for situation in Situation}]
    assert heads == [situation.value for situation in Situation]
    names = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert sorted(names) == methods.names()
    many = names.index("supervised")
    assert names[many : many + 3] == ["supervised", "cs_kd", "ps_kd"]


@pytest.mark.parametrize(
    ("topic", "hint"), [("born_agian", "born_again"), ("metric", "metrics"), ("compar", "compare"), ("modell", "model")]
)
def test_an_unknown_topic_has_the_nearest_named(called, topic, hint):
    code, text = called("help", topic)
    assert (code, text.endswith(f"; did you mean {hint}?\n"), text.count("\n")) == (2, True, 1)


def test_pages_need_neither_torch_nor_hydra():
    """Which take seconds to import."""
    pages = [["help"], ["help", "fixmatch"], ["help", "metrics"], ["help", "dataset"], ["methods"]]
    code = "import sys; from sdrun import cli\n"
    code += f"for page in {pages}:\n    sys.argv[1:] = page\n    assert cli.main() == 0\n"
    code += "assert not {'torch', 'hydra', 'scipy', 'sklearn'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
