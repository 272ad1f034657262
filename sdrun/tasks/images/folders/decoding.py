"""A file of an image, to square pixels of one size. Imported by processes that decode, so little is imported here."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm")

GREY = 128
"""What shows through transparent pixels."""

ORIENTATION = 0x0112
"""The tag of Exif for it."""
QUARTER_TURNS = (5, 6, 7, 8)

MOST_PIXELS = 89 * 10**6
TOO_LARGE = f"has more than {MOST_PIXELS // 10**6} million pixels; make it smaller"

warnings.filterwarnings("ignore", module=r"PIL\.")  # once, for threads would undo each other's

GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")


class Header(NamedTuple):
    """What a file says of its image: sides as they are looked at, and ``problem``, why it cannot be used."""

    digest: bytes
    width: int = 0
    height: int = 0
    is_grey: bool = False
    is_animated: bool = False
    problem: str = ""


class Decoded(NamedTuple):
    """``pixels`` [channels, size, size] uint8, or ``problem``, why there are none."""

    pixels: np.ndarray | None
    problem: str = ""


class _Unusable(Exception):
    """Why a file is of no use."""


def header(path: str | Path) -> Header:
    """The digest of a file, and what it holds; nothing is decoded. Raises nothing for a file that is broken."""
    digest = b""
    try:
        data = Path(path).read_bytes()
        digest = sha256(data).digest()
        with _opened(data) as image:
            width, height = image.size
            tags = Image.Image.getexif(image)  # a PNG's own looks behind the pixels too, and decodes them
            is_turned = tags.get(ORIENTATION, 1) in QUARTER_TURNS
            if is_turned and image.format != "TIFF":  # whose size is that of the turned image already
                width, height = height, width
            is_animated = getattr(image, "is_animated", False)  # Pillow's formats of one picture have no such attribute
            return Header(digest, width, height, image.mode in GREY_MODES, is_animated)
    except _Unusable as error:
        return Header(digest, problem=str(error))
    except OSError as error:
        return Header(digest, problem=f"cannot be read ({error.strerror})")


def decode(path: str | Path, size: int, channels: int) -> Decoded:
    """The middle of an image, as a square. Raises nothing for a file that is broken."""
    try:
        with _opened(Path(path).read_bytes()) as image:
            mode = "RGB" if channels == 3 else "L"
            image.draft(mode, (size, size))
            upright = _plain(ImageOps.exif_transpose(image)).convert(mode)
            square = ImageOps.fit(upright, (size, size), Image.Resampling.BICUBIC)
            pixels = np.asarray(square).reshape(size, size, channels)
            return Decoded(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    except _Unusable as error:
        return Decoded(None, str(error))
    except OSError as error:
        return Decoded(None, f"cannot be read ({error.strerror})")


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The first picture in a file. Raises _Unusable for anything that keeps it from being opened or decoded."""
    if not data:
        raise _Unusable("is empty")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _Unusable(TOO_LARGE)
            yield image
    except UnidentifiedImageError as error:
        raise _Unusable("is no image of a kind that can be read") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _Unusable(TOO_LARGE) from error
    except _Unusable:
        raise
    except Exception as error:  # decoders raise nearly anything for a broken file
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise _Unusable(f"is broken ({reason})") from error


def _plain(image: Image.Image) -> Image.Image:
    """Eight bits a channel, and nothing transparent."""
    if image.mode == "F":
        raise _Unusable("holds numbers that are not whole; save it with 8 or 16 bits a pixel")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise _Unusable("holds numbers of more than 16 bits; save it with 8 or 16 bits a pixel")
        if image.mode == "I" and values.max() <= 0xFF:  # eight bits, in more room than they need
            return Image.fromarray(values.astype(np.uint8))
        return Image.fromarray((values >> 8).astype(np.uint8))
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        below = Image.new("RGBA", image.size, (GREY, GREY, GREY, 255))
        return Image.alpha_composite(below, image.convert("RGBA"))
    return image
