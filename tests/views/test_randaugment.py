"""RandAugment's operations against torchvision's on single images, and who gets which."""

import math
from dataclasses import replace

import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from helpers import settings
from sdrun.tasks.images.views.colour import saturate
from sdrun.tasks.images.views.geometry import sharpen_, warp
from sdrun.tasks.images.views.randaugment import RandAugment, operations
from sdrun.tasks.images.views.tables import Tables
from sdrun.tasks.images.views.view import Normalise, View


def generator(seed):
    return torch.Generator().manual_seed(seed)


def images(batch=6, channels=3, size=24, seed=0):
    """Smooth ones, with few levels, as photographs have."""
    coarse = torch.rand(batch, channels, 4, 4, generator=generator(seed))
    fine = torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")
    return (40 + 170 * fine).byte()


COS, SIN = math.cos(math.pi / 12), math.sin(math.pi / 12)
EVERY = torch.ones(6, dtype=torch.bool)
FACTORS = torch.tensor([0.1, 0.5, 0.9, 1.0, 1.3, 1.9])


def looked_up(x, name, *values):
    tables = Tables(x)
    getattr(tables, name)(EVERY, *values)
    return tables.look_up() * 255


def of_each(x, function, values):
    return torch.stack([function(image, value) for image, value in zip(x, values, strict=True)]).float()


@pytest.mark.parametrize("channels", [1, 3])
def test_operations_without_strength_equal_torchvisions(channels):
    x = images(channels=channels)
    torch.testing.assert_close(looked_up(x, "equalise"), reference.equalize(x).float(), rtol=0, atol=1e-3)
    stretched = looked_up(x, "autocontrast")
    difference = (stretched - reference.autocontrast(x)).abs()
    assert difference.max() < 1.01  # torchvision rounds the factor, and so some whole numbers down to the next
    assert (difference > 0.5).float().mean() < 0.03
    assert torch.equal(stretched.amax(dim=(2, 3)).round(), torch.full((6, channels), 255.0))


@pytest.mark.parametrize("channels", [1, 3])
def test_posterise_and_solarise_equal_torchvisions(channels):
    x = images(channels=channels)
    dropped = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0, 1.0])
    found = looked_up(x, "posterise", dropped)
    expected = of_each(x, lambda image, bits: reference.posterize(image, 8 - int(bits)), dropped)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)
    threshold = torch.tensor([0.0, 50.0, 100.0, 128.0, 200.0, 255.0])
    found = looked_up(x, "solarise", threshold)
    expected = of_each(x, lambda image, value: reference.solarize(image, float(value)), threshold)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "function"), [("brighten", reference.adjust_brightness), ("contrast", reference.adjust_contrast)]
)
def test_brightness_and_contrast_equal_torchvisions_to_one_level(name, function, channels):
    x = images(channels=channels)
    found = looked_up(x, name, FACTORS)
    expected = of_each(x, lambda image, factor: function(image, float(factor)), FACTORS)
    torch.testing.assert_close(found, expected, rtol=0, atol=1.01)  # torchvision rounds the grey image for its mean


def test_a_chain_of_tables_equals_one_operation_after_the_other():
    x = images()
    tables = Tables(x)
    tables.equalise(EVERY)
    tables.contrast(EVERY, FACTORS)
    tables.posterise(EVERY, torch.full((6,), 3.0))
    expected = reference.equalize(x)
    expected = torch.stack([reference.adjust_contrast(i, float(f)) for i, f in zip(expected, FACTORS, strict=True)])
    expected = reference.posterize(expected, 5).float()
    close = (tables.look_up() * 255 - expected).abs() < 8.01  # a level more or less may be a step of posterise
    assert close.all()
    assert (tables.look_up() * 255 - expected).abs().mean() < 0.5


def test_only_the_chosen_change():
    x = images()
    chosen = torch.tensor([True, False, True, False, False, True])
    tables = Tables(x)
    tables.solarise(chosen, torch.zeros(6))
    changed = (tables.look_up() * 255 - x).abs().flatten(1).amax(dim=1) > 0.5
    assert torch.equal(changed, chosen)


def test_sharpness_and_saturation_equal_torchvisions():
    x = images().float() / 255
    found = sharpen_(x.clone(), FACTORS)
    expected = of_each(x, lambda image, factor: reference.adjust_sharpness(image, float(factor)), FACTORS)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)
    found = saturate(x, FACTORS)
    expected = of_each(x, lambda image, factor: reference.adjust_saturation(image, float(factor)), FACTORS)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)  # torchvision rounds its luma weights


def test_warp_equals_torchs_grid():
    x, matrix = images().float(), torch.eye(2, 3) + 0.3 * torch.randn(6, 2, 3, generator=generator(1))
    grid = torch.nn.functional.affine_grid(matrix, list(x.shape), align_corners=False)
    expected = torch.nn.functional.grid_sample(x, grid, align_corners=False)
    torch.testing.assert_close(warp(x, matrix), expected, rtol=1e-4, atol=1e-2)


def only(augment, name, strength):
    """Draws by which every sample gets this operation alone (``num`` is 1) at a strength in [0, 1)."""
    u = torch.full((6, augment.num_draws), 0.5)
    place = augment.operations.index(name)
    u[:, place] = 0.1
    u[:, len(augment.operations) + place] = strength
    return u


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("rotate", [[COS, -SIN, 0], [SIN, COS, 0]]),
        ("shear_x", [[1, 0.15, 0], [0, 1, 0]]),
        ("shear_y", [[1, 0, 0], [0.15, 1, 0]]),
        ("translate_x", [[1, 0, 0.3], [0, 1, 0]]),
        ("translate_y", [[1, 0, 0], [0, 1, 0.3]]),
    ],
)
def test_motions_at_half_their_strength(name, matrix):
    x, augment = images(), RandAugment(1, 1.0, 3)
    found = augment(x, only(augment, name, 0.75))
    expected = warp(x.float() / 255, torch.tensor(matrix).expand(6, 2, 3))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_each_operation_is_drawn_as_often_and_changes_the_image(channels):
    names = operations(channels)
    assert ("saturation" in names) == (channels == 3)
    augment = RandAugment(1, 1.0, channels)
    x = images(channels=channels)
    for name in names:
        changed = (augment(x, only(augment, name, 0.9)) - x / 255).abs().flatten(1).amax(dim=1) > 1e-3
        assert changed.all() == (name != "identity"), name


def test_as_many_operations_as_asked_for_are_applied_and_no_more():
    x = images()
    for num in (1, 2, 3):
        augment = RandAugment(num, 1.0, 3)
        u = torch.full((6, augment.num_draws), 0.9)
        for place, name in enumerate(("solarise", "translate_x", "posterise")):
            at = augment.operations.index(name)
            u[:, at] = 0.1 * (1 + place)
        tables = Tables(x)
        if num > 2:
            tables.posterise(EVERY, torch.full((6,), 4.0))
        tables.solarise(EVERY, torch.full((6,), 256 * 0.1))
        expected = tables.look_up()
        if num > 1:
            expected = warp(expected, torch.tensor([[1, 0, 0.6 * 0.8], [0, 1, 0]]).expand(6, 2, 3))
        torch.testing.assert_close(augment(x, u), expected, rtol=1e-4, atol=1e-4)


def test_a_sample_has_its_own_operations_and_strengths():
    augment = RandAugment(2, 1.0, 3)
    x = images(1).expand(64, -1, -1, -1)
    seen = augment(x, torch.rand(64, augment.num_draws, generator=generator(3)))
    assert len(seen.flatten(1).unique(dim=0)) > 60
    assert seen.min() >= 0
    assert seen.max() <= 1


def test_magnitude_bounds_what_has_a_strength():
    x, weak, full = images(), RandAugment(1, 0.1, 3), RandAugment(1, 1.0, 3)
    for name in ("brightness", "rotate", "solarise", "translate_x", "saturation"):
        little, much = ((a(x, only(a, name, 0.95)) - x / 255).abs().mean() for a in (weak, full))
        assert little < 0.35 * much, name


@pytest.mark.parametrize("dataset", ["fashion_mnist", "cifar10"])
def test_a_view_of_a_dataset_has_it(dataset):
    given = settings(f"dataset={dataset}", "dataset.views.weak.randaugment=3").dataset
    normalise = Normalise(given.mean, given.std, torch.device("cpu"), False)
    view = View(given.views["weak"], normalise)
    x = images(8, channels=len(given.mean), size=28)
    u = torch.rand(8, view.num_draws, generator=generator(5))
    seen, without = view(x, u), View(replace(given.views["weak"], randaugment=0), normalise)(x, u)
    assert seen.shape == without.shape
    assert not torch.equal(seen, without)
