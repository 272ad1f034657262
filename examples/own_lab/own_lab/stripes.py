"""A dataset: stripes that lie or stand, under noise. Any two map-style datasets of (image, class) would do."""

import numpy as np

import sdrun


class Stripes:
    """Pairs of an image [size, size] uint8 and its class, as torchvision's datasets have them."""

    classes = ("lying", "standing")

    def __init__(self, num: int, size: int, noise: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.labels = np.arange(num) % 2
        lying = np.where(np.arange(size) % 4 < 2, 160, 90)[:, None].repeat(size, axis=1)
        images = np.stack([lying.T if label else lying for label in self.labels])
        self.images = (images + random.integers(-noise, noise + 1, images.shape)).clip(0, 255).astype(np.uint8)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        return self.images[number], int(self.labels[number])


@sdrun.dataset("stripes")
def stripes(size: int = 12, noise: int = 80) -> tuple[Stripes, Stripes]:
    """``size``: pixels of a side; ``noise``: how far a pixel may be off."""
    return Stripes(400, size, noise, seed=0), Stripes(200, size, noise, seed=1)
