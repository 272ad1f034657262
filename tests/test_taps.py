"""``sdrun taps``: taps of every family with their shapes and costs."""

import pytest

from helpers import settings


def listed(text: str) -> list[list[str]]:
    """Name, shape, multiply-adds and share of each row."""
    return [line.replace(",", "").split() for line in text.splitlines() if line.startswith(" ") and line[1:2].isalnum()]


def test_shapes_and_costs(called):
    code, text = called("taps", "model=cnn", "dataset=digits", "model.widths=[4,8]")
    assert code == 0
    assert text.startswith("cnn on digits, images of 1x8x8")
    entry, first, second = 4 * 4 * 9 * 16, 4 * 4 * 9 * 16, (4 * 8 + 8 * 8) * 9 * 4
    half = entry + first
    assert listed(text)[1:] == [
        ["stage_1", "4x4x4", f"{half}", f"{100 * half / (half + second):.1f}"],
        ["stage_2", "8x2x2", f"{half + second}", "100.0"],
        ["features", "8", f"{half + second}", "100.0"],
    ]
    assert f"{(4 * 4 * 9 + 4 * 4 * 9 + 4 * 8 * 9 + 8 * 8 * 9) + 2 * (4 + 4 + 8 + 8):,} parameters" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    "asked",
    [
        ("model=resnet8",),
        ("model=bag", "dataset=sentences"),
        ("model=timm", "model.name=test_resnet"),
        ("model=timm", "model.name=test_mambaout"),
    ],
)
def test_taps_of_every_family(asked, called):
    code, text = called("taps", *asked)
    assert code == 0
    _, *rows, last = listed(text)
    assert [row[0] for row in rows] == settings(*asked).model.taps
    costs = [int(row[2]) for row in [*rows, last]]
    assert costs == sorted(costs)
    assert costs[0] > 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("model=timm", "model.name=resnet81"), "model.name: 'resnet81' is none of timm's; did you mean resnet18?"),
        (("model=rsnet8",), "model=rsnet8: no such choice; did you mean resnet8? There are"),
        (("model=bag",), "model: bag takes texts, and dataset=digits has images"),
        (("model.width=3",), "model.width: has no effect with a cnn model"),
        (("model.widths=[1,2],[3]",), "Ambiguous value for argument"),
    ],
)
def test_what_cannot_be_is_one_short_line(asked, message, called):
    code, text = called("taps", *asked)
    assert code == 2
    assert text.startswith(f"sdrun: {message}")
