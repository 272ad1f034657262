"""Views against loops over single samples, and against torchvision where the two mean the same."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from helpers import settings
from sdrun.views.colour import jitter
from sdrun.views.geometry import affine, cutout, flip_crop
from sdrun.views.view import Normalise, View


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
