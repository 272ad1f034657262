"""Run folders with a wrong value or damaged bytes anywhere: no verb ends in a traceback, and good runs stay shown."""

import json
import random
import sys

import pytest
import yaml
from folders import made_run

from sdrun import cli

NUM_CASES = 24
GOOD = {"g0", "g1", "g2"}
VALUES = [
    None,
    True,
    -1,
    0,
    2**64,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "0",
    "_",
    "$x",
    "\x1b[2J",
    "\ud800",
    "\u202e",
    "../..",
    "a" * 300,
    "${oc.env:HOME}",
    [],
    {},
    [[]],
    {"": {"": None}},
    [None, 1, "a"],
]


def nodes(content, way=()):
    """The way to every value."""
    yield way
    for key in content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ():
        yield from nodes(content[key], (*way, key))


def with_value(content, way, value):
    if not way:
        return value
    copy = dict(content) if isinstance(content, dict) else list(content)
    copy[way[0]] = with_value(content[way[0]], way[1:], value)
    return copy


def spoil(run, source):
    """Give a file of a run an odd value, or damage its bytes; returns what was done."""
    file = run / source.choice(["manifest.json", "summary.json", "config.yaml"])
    data = file.read_bytes()
    if source.random() < 0.7:
        content = yaml.safe_load(data) if file.suffix == ".yaml" else json.loads(data)
        way, value = source.choice(list(nodes(content))), source.choice(VALUES)
        content = with_value(content, way, value)
        dump = yaml.safe_dump if file.suffix == ".yaml" else json.dumps
        file.write_bytes(dump(content).encode(errors="surrogatepass"))
        return f"{file.name}: {way} = {value!r}"
    place = source.randrange(len(data))
    cut = source.random() < 0.3
    byte = source.choice(b'\x00\xff{}[]":,-&*!%\n 9a')
    file.write_bytes(data[:place] if cut else data[:place] + bytes([byte]) + data[place + 1 :])
    return f"{file.name}: {'cut' if cut else chr(byte)} at {place}"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("part", range(4))
def test_whatever_a_folder_holds_the_others_are_shown(tmp_path, monkeypatch, capsys, part):
    for seed in range(3):
        made_run(tmp_path / f"runs/g{seed}", seed, 0.8 + seed / 100)
    for case in range(part, NUM_CASES, 4):
        source = random.Random(case)
        odd = made_run(
            tmp_path / f"runs/odd{case}", source.choice([1, 3]), method=source.choice(["supervised", "cs_kd"])
        )
        done = spoil(odd, source)
        for verb in (
            ["list", "runs"],
            ["show", f"runs/{odd.name}"],
            ["compare", "runs"],
            ["list", "runs", "--format", "json"],
        ):
            monkeypatch.setattr(sys, "argv", ["sdrun", *verb])
            code = cli.main()
            out, err = capsys.readouterr()
            assert code in (0, 1, 2), (verb, done)
            assert "Traceback" not in out + err, (verb, done)
            assert "\x1b" not in out + err, (verb, done)
            if verb[0] == "list":
                assert code == 0, (verb, done, err)
                assert all(name in out for name in GOOD), (verb, done)
        for file in sorted(odd.rglob("*"), reverse=True):
            file.unlink()
        odd.rmdir()
