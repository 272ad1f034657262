"""Views against loops over single samples, and against torchvision where the two mean the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as reference

from helpers import settings
from sdrun.tasks.images.views.colour import jitter
from sdrun.tasks.images.views.geometry import affine, cutout, flip_crop
from sdrun.tasks.images.views.resample import blur_matrix, boxes, resample
from sdrun.tasks.images.views.view import Normalise, View


def images(batch=6, channels=3, size=8, seed=0):
    return torch.randint(0, 256, (batch, channels, size, size), generator=generator(seed), dtype=torch.uint8)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def test_flip_crop_equals_a_loop_over_samples():
    x, u = images(64), torch.rand(64, 3, generator=generator(1))
    for flip, padding in ((True, 2), (False, 1), (True, 0)):
        moved = flip_crop(x, flip, padding, u)
        for image, draw, out in zip(x, u, moved, strict=True):
            row, column = (int(value * (2 * padding + 1)) for value in draw[1:])
            padded = torch.nn.functional.pad(image, (padding,) * 4)
            turned = padded.flip(2) if flip and draw[0] >= 0.5 else padded
            # The window is chosen in the unflipped image and then flipped, so mirror the column.
            start = 2 * padding - column if flip and draw[0] >= 0.5 else column
            assert torch.equal(out, turned[:, row : row + 8, start : start + 8])


def test_flip_crop_uses_every_offset_and_both_sides():
    x = images(1).expand(4000, -1, -1, -1)
    distinct = flip_crop(x, True, 1, torch.rand(4000, 3, generator=generator(2))).flatten(1).unique(dim=0)
    assert len(distinct) == 2 * 3 * 3


def test_affine_without_motion_is_the_identity_and_a_quarter_turn_is_rot90():
    x = images().float()
    still = torch.full((6, 4), 0.5)
    torch.testing.assert_close(affine(x, 30, 0.1, 0.1, still), x)
    quarter = torch.tensor([[1.0, 0.5, 0.5, 0.5]]).expand(6, 4)
    torch.testing.assert_close(affine(x, 90, 0, 0, quarter), x.rot90(1, (2, 3)), rtol=1e-4, atol=2e-2)


def test_affine_shifts_by_a_share_of_the_size():
    x = images().float()
    right = torch.tensor([[0.5, 1.0, 0.5, 0.5]]).expand(6, 4)
    shifted = affine(x, 0, 0.25, 0, right)  # two of eight pixels
    torch.testing.assert_close(shifted[..., :6], x[..., 2:], rtol=1e-4, atol=1e-2)
    assert shifted[..., 6:].abs().max() < 1e-2


def test_cutout_is_a_square_of_the_share_that_stays_inside():
    x = torch.ones(200, 1, 10, 10)
    holes = cutout(x, 0.4, torch.zeros(1), torch.rand(200, 2, generator=generator(3)))
    area = (holes == 0).sum(dim=(1, 2, 3))
    assert area.max() == 16
    assert area.min() < 16  # cut off at the border
    centred = cutout(x[:1], 0.4, torch.zeros(1), torch.tensor([[0.5, 0.5]]))
    assert torch.equal((centred == 0)[0, 0].nonzero().aminmax().max, torch.tensor(6))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_each_colour_operation_equals_torchvision_on_single_images(channels, name):
    if channels == 1 and name == "saturation":
        return
    x = images(channels=channels).float() / 255
    u = torch.full((6, 4), 0.5)
    place = ["brightness", "contrast", "saturation"].index(name)
    u[:, place] = torch.rand(6, generator=generator(4))
    strength = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, name: 0.6}
    found = jitter(x, **strength, u=u)
    adjust = getattr(reference, f"adjust_{name}")
    expected = torch.stack([adjust(image, 1 + 0.6 * float(2 * v - 1)) for image, v in zip(x, u[:, place], strict=True)])
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)  # torchvision rounds its luma weights


def test_hue_keeps_luma_and_grey_and_a_full_circle_changes_nothing():
    x = images().float() / 255 * 0.2 + 0.4  # far from the clamp
    u = torch.full((6, 4), 0.5)
    u[:, 3] = torch.rand(6, generator=generator(5))
    turned = jitter(x, 0, 0, 0, 0.5, u)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    torch.testing.assert_close((turned * luma).sum(1), (x * luma).sum(1), rtol=1e-3, atol=1e-3)
    assert (turned - x).abs().max() > 0.02
    grey = torch.full((6, 3, 8, 8), 0.5)
    torch.testing.assert_close(jitter(grey, 0, 0, 0, 0.5, u), grey, rtol=1e-3, atol=1e-3)
    u[:, 3] = 1.0
    torch.testing.assert_close(jitter(x, 0, 0, 0, 1.0, u), x, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("size", "area"), [(28, [0.6, 1.0]), (14, [0.25, 0.6]), (32, [0.05, 0.2]), (9, [1.0, 1.0])])
def test_resampling_equals_torchvisions_resized_crop(size, area):
    x, u = images(32, size=28).float() / 255, torch.rand(32, 7, generator=generator(7))
    found = resample(x, size, area, False, 0.0, [0.1, 1.0], u)
    for image, box, out in zip(x, boxes((28, 28), area, u).int().tolist(), found, strict=True):
        expected = reference.resized_crop(image, *box, [size, size], InterpolationMode.BICUBIC, antialias=True)
        torch.testing.assert_close(out, expected.clamp(0, 1), rtol=1e-4, atol=1e-5)


def test_windows_have_the_areas_and_ratios_and_lie_anywhere_inside():
    top, left, height, width = boxes((32, 32), [0.2, 0.5], torch.rand(5000, 4, generator=generator(8))).unbind(1)
    share = height * width / 32**2
    assert 0.18 < share.min() < 0.22
    assert 0.47 < share.max() < 0.53
    assert share.mean() == pytest.approx(0.35, abs=0.01)
    ratio = (width / height).log()
    assert ratio.mean() == pytest.approx(0, abs=0.02)
    assert 0.25 < ratio.max() < 0.36  # ln(4/3) and the rounding to pixels
    assert top.min() == left.min() == 0
    assert (top + height).max() == (left + width).max() == 32


def test_windows_that_are_too_long_are_cut_to_the_image():
    top, left, height, width = boxes((28, 28), [0.6, 1.0], torch.rand(5000, 4, generator=generator(11))).unbind(1)
    assert (top + height).max() == (left + width).max() == 28
    share = height * width / 28**2
    assert 0.5 < share.min() < 0.6  # a long one of the least area loses some of it
    assert share.mean() == pytest.approx(0.786, abs=0.01)


def test_a_window_of_everything_is_the_image_and_its_flip_is_a_mirror():
    x = images(64).float() / 255
    u = torch.rand(64, 7, generator=generator(9))
    found = resample(x, 8, [1.0, 1.0], True, 0.0, [0.1, 1.0], u)
    for image, draw, out in zip(x, u[:, 4], found, strict=True):
        torch.testing.assert_close(out, image if draw < 0.5 else image.flip(2))


def test_blur_equals_torchvisions_far_from_the_border_and_keeps_brightness():
    x = images(1, size=32).float() / 255
    blurred = blur_matrix(torch.tensor([1.3]), 32)[0]
    expected = reference.gaussian_blur(x, [15, 15], [1.3, 1.3])
    torch.testing.assert_close((blurred @ x @ blurred.T)[..., 8:-8, 8:-8], expected[..., 8:-8, 8:-8])
    torch.testing.assert_close(blurred.sum(dim=1), torch.ones(32))
    torch.testing.assert_close(blur_matrix(torch.tensor([0.0]), 8)[0], torch.eye(8))


def test_chances_hold_for_each_image():
    off = settings("dataset=cifar10").dataset.views["weak"]
    off.flip, off.crop = False, 0
    normalise = Normalise([0.0] * 3, [1.0] * 3, torch.device("cpu"), False)
    x = images(1, size=8).expand(3000, -1, -1, -1)
    plain = normalise(x)
    for change in (
        {"grey": 0.3},
        {"solarise": 0.3},
        {"blur": 0.3, "blur_sigma": [0.5, 1.0]},
        {"jitter_chance": 0.3, "brightness": 0.5},
    ):
        view = View(replace(off, **change), normalise)
        seen = view(x, torch.rand(3000, view.num_draws, generator=generator(10)))
        changed = ((seen - plain).abs().amax(dim=(1, 2, 3)) > 1e-4).float().mean()
        assert changed == pytest.approx(0.3, abs=0.03), change
    grey = View(replace(off, grey=1.0), normalise)(x[:1], torch.rand(1, 23))
    torch.testing.assert_close(grey[0, 0], grey[0, 1])
    luma = reference.rgb_to_grayscale(plain[:1])
    torch.testing.assert_close(grey[:, :1], luma, rtol=1e-3, atol=1e-3)
    inverted = View(replace(off, solarise=1.0), normalise)(x[:1], torch.rand(1, 23))
    torch.testing.assert_close(inverted, reference.solarize(plain[:1], 0.5))


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_view_draws_for_every_sample_and_normalises(channels_last):
    strong = [f"dataset.views.weak.{key}=0.2" for key in ("translate", "cutout", "brightness", "contrast", "hue")]
    weak = settings("dataset=cifar10", "dataset.views.weak.rotate=20", *strong).dataset.views["weak"]
    normalise = Normalise([0.5, 0.4, 0.3], [0.2, 0.2, 0.2], torch.device("cpu"), channels_last)
    x = images(1, size=32).expand(5, -1, -1, -1)
    view = View(weak, normalise)
    seen = view(x, torch.rand(5, view.num_draws, generator=generator(6)))
    assert len(seen.flatten(1).unique(dim=0)) == 5
    assert seen.is_contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    assert torch.isfinite(seen).all()


def test_normalising_and_its_inverse():
    normalise = Normalise([0.5], [0.25], torch.device("cpu"), False)
    x = images(channels=1)
    np.testing.assert_allclose(normalise(x).numpy(), (x.numpy() / 255 - 0.5) / 0.25, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(normalise.undo(normalise(x)), x / 255)
