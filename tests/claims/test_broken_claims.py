"""Whatever ``claim.json`` holds: what cannot be used is named, and nothing is read or written elsewhere."""

import json
import sys

import pytest
from test_verdicts import DECLARED, MEMBERS, claim

from sdrun import cli
from sdrun.claims.declaration import declaration
from sdrun.claims.folder import ClaimFolder
from sdrun.errors import InputError
from sdrun.sweeps.arms import finished

ENTRY = {"overrides": []}


@pytest.fixture
def called(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["sdrun", *arguments])
        code = cli.main()
        return code, "".join(capsys.readouterr())

    return call


@pytest.fixture
def one(tmp_path):
    return claim(tmp_path / "one", seeds=range(2))


def changed(path, **entries):
    content = json.loads((path / "claim.json").read_text()) | entries
    (path / "claim.json").write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))


BROKEN = {
    "runs that are a list": {"runs": []},
    "a run that is text": {"runs": {"silent/seed_0": "here"}},
    "a run without overrides": {"runs": {"silent/seed_0": {"settings": ""}}},
    "overrides that are text": {"runs": {"silent/seed_0": {**ENTRY, "overrides": "seed=0"}}},
    "overrides that are null": {"runs": {"silent/seed_0": {"overrides": None}}},
    "a score that is null": {"members": {**MEMBERS, "method_x1": {**MEMBERS["method_x1"], "score": None}}},
    "a member that lacks its cost": {"members": {"method_x1": {"name": "method_x1", "side": "method"}}},
    "a member by another name": {"members": {**MEMBERS, "method_x1": {**MEMBERS["method_x1"], "name": "method_x2"}}},
    "a member that costs nothing": {"members": {**MEMBERS, "method_x1": {**MEMBERS["method_x1"], "cost": 0}}},
    "a member of neither side": {"members": {**MEMBERS, "method_x1": {**MEMBERS["method_x1"], "side": "other"}}},
    "members that are a list": {"members": [0.9]},
    "no members": {"members": ...},
    "a choice that is none": {"chosen": {"method": "two"}},
    "a choice that is a number": {"chosen": 1},
    "a choice without the others": {"chosen": {"method": "method_x3"}},
    "no declaration": {"declared": ...},
    "a declaration of nothing": {"declared": {}},
    "a declaration that is text": {"declared": "it helps"},
    **{f"no {key}": {"declared": {k: v for k, v in DECLARED.items() if k != key}} for key in DECLARED},
    **{f"{key} that is odd": {"declared": {**DECLARED, key: {"a": 1}}} for key in DECLARED},
    "a setting beside": {"declared": {**DECLARED, "more": 1}},
    "a reference": {"declared": {**DECLARED, "statement": "${oc.env:HOME}"}},
}
PLACES = [
    "../outside/seed_0",
    "silent/../../outside/seed_0",
    "/outside/seed_0",
    "seed_0",
    "silent/seed_x",
    "silent/seed_0/",
    "a/b/c/seed_0",
    "./seed_0",
    "pl\x00ain/seed_0",
    "silent/seed_0\n",
    "",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_claim_that_is_not_whole_is_refused_by_name(one, called, broken):
    changed(one, **BROKEN[broken])
    for verb in ("claims", "report"):
        code, out = called(verb, "one")
        assert code == 2
        assert out.startswith(("sdrun: one: claim.json", "sdrun: one/claim.json: "))
        assert "move it away, and make it again by: " in out
    with pytest.raises(InputError, match="one"):
        ClaimFolder.begin(one, declaration(DECLARED))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"runs": "\\ud800"}'])
def test_a_claim_that_is_no_json_is_refused_by_name(one, called, data):
    (one / "claim.json").write_bytes(data)
    code, out = called("claims", "one")
    assert code == 2
    assert out.startswith("sdrun: one: claim.json ")


@pytest.mark.parametrize("place", PLACES)
def test_a_run_outside_of_its_claim_is_refused_by_name(one, called, place):
    changed(one, runs={place: ENTRY})
    code, out = called("claims", "one", "--keep", "kept")
    assert code == 2
    assert "which is no ARM/seed_N of the claim" in out


def test_a_run_that_a_link_takes_out_of_its_claim_is_refused_by_name(one, called, tmp_path):
    (one / "silent").rename(tmp_path / "outside")
    (one / "silent").symlink_to(tmp_path / "outside")
    code, out = called("claims", "one", "--keep", "kept")
    assert code == 2
    assert "names the run silent/seed_0, which a link takes out of the claim" in out


def test_no_link_is_kept(one, called, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (one / "silent/seed_0/predictions").mkdir()
    (one / "silent/seed_0/predictions/a.npz").symlink_to(tmp_path / "secret")
    code, out = called("claims", "one", "--keep", "kept")
    assert code == 2
    assert "one/silent/seed_0/predictions/a.npz: is a link" in out
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("link", ["one", "one/silent", "one/silent/seed_0/summary.json", "one/claim.json"])
def test_nothing_is_kept_through_a_link(one, called, tmp_path, link):
    (tmp_path / "outside").mkdir()
    (tmp_path / "kept" / link).parent.mkdir(parents=True)
    (tmp_path / "kept" / link).symlink_to(tmp_path / "outside")
    code, out = called("claims", "one", "--keep", "kept")
    assert code == 2
    assert f"kept/{link}: is a link" in out
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("folder", [".", "../one", "../one/."])
def test_a_claim_is_kept_by_its_own_name(one, called, monkeypatch, tmp_path, folder):
    monkeypatch.chdir(one)
    assert called("claims", folder, "--keep", str(tmp_path / "kept"))[0] == 0
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["one"]


def test_a_run_in_another_one_s_place_is_left_out_by_name(one, called):
    (one / "silent/seed_0").rename(one / "silent/seed_9")
    (one / "silent/seed_1").rename(one / "silent/seed_0")
    (one / "silent/seed_9").rename(one / "silent/seed_1")
    assert "silent/seed_0 (of seed 1); silent/seed_1 (of seed 0)" in called("claims", "one")[1]


def test_runs_that_say_little_of_themselves_are_on_the_page(one, called):
    for arm in ("silent", "method_x3"):
        for seed in range(2):
            for name, key in (("manifest.json", "hardware"), ("summary.json", "compute"), ("summary.json", "metrics")):
                file = one / f"{arm}/seed_{seed}" / name
                content = json.loads(file.read_text())
                del content[key]
                file.write_text(json.dumps(content))
            with (one / f"{arm}/seed_{seed}/config.yaml").open("a") as file:
                file.write("dataset: {label_noise: much}\noptim: {epochs: [1]}\n")
    assert called("claims", "one")[0] == 0


def test_the_sweep_names_a_run_that_it_cannot_read(one):
    folder = ClaimFolder.open(one)
    assert finished(folder.run("silent", 0))
    assert finished(folder.run("silent", 7)) is None
    (one / "silent/seed_0/summary.json").write_text("{")
    with pytest.raises(
        InputError, match=r"one/silent/seed_0: summary.json cannot be read .*; see: sdrun doctor .*, or move it away"
    ):
        finished(folder.run("silent", 0))


def test_nothing_of_a_claim_takes_hold_of_a_terminal(one, called):
    changed(
        one,
        declared={**DECLARED, "statement": "a\x1b[2J\n# b", "silent": ["\x9b"]},
        members={**MEMBERS, "baseline_equal": {**MEMBERS["baseline_equal"], "overrides": ["\x9b"]}},
    )
    code, out = called("claims", "one")
    assert code == 0
    assert called("claims", "one", "-o", "page.md")[0] == 0
    written = (one.parent / "page.md").read_text()
    assert not {"\x1b", "\x9b"} & set(out + written)
    assert 'one, the claim: "a\\x1b[2J\\n# b"' in out
    assert "*a\\x1b[2J\\n# b*" in written
