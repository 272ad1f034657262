"""Images that are turned or get worse, against torchvision's own."""

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import gaussian_blur, rotate

from sdrun.tasks.images.drift import CONTRAST, NOISE, WIDTH, corrupted, drifted, rotated


@pytest.fixture
def images():
    return torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def test_each_is_turned_by_its_own_angle_as_torchvision_turns_it(images):
    degrees = torch.tensor([0.0, 17.0, 90.0, -45.0])
    expected = [
        rotate(image, float(angle), InterpolationMode.BILINEAR) for image, angle in zip(images, degrees, strict=True)
    ]
    torch.testing.assert_close(rotated(images, degrees, images), torch.stack(expected), rtol=0, atol=1e-4)
    torch.testing.assert_close(rotated(images, degrees, images)[2], images[2].rot90(1, (1, 2)), rtol=0, atol=1e-4)


def test_a_corruption_is_a_blur_a_paler_image_and_noise(images):
    strength, noise = torch.tensor([0.0, 0.25, 0.5, 1.0]), torch.randn(images.shape)
    got = corrupted(images, strength, noise)
    torch.testing.assert_close(got[0], images[0])
    padded = torch.nn.functional.pad(images, (20,) * 4)
    blurred = gaussian_blur(padded, 11, WIDTH)[..., 20:-20, 20:-20]
    mixed = images[2] + 0.5 * (blurred[2] - images[2])
    paler = mixed + 0.5 * CONTRAST * (mixed.mean() - mixed)
    torch.testing.assert_close(got[2], (paler + 0.5 * NOISE * noise[2]).clamp(0, 1), rtol=0, atol=1e-4)


def test_the_same_part_drifts_alike_every_time(images):
    whole = images.mul(255).byte()
    amounts = torch.full((4,), 0.7)
    one, same, other = (drifted(whole, amounts, "corruption", name) for name in ("test", "test", "val"))
    assert one.dtype == torch.uint8
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
