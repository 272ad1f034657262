"""Files of images of every kind become the pixels that a person sees, and what is broken is said in one text."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pictured import pixels, save
from PIL import Image, ImageOps

from sdrun.tasks.images.folders.decoding import SUFFIXES, decode, header

pytestmark = pytest.mark.filterwarnings("ignore:::PIL.")

COLOUR, PLAIN = pixels(0), pixels(1, channels=1)
GREY = 128
SMOOTH = np.stack([np.arange(64).reshape(8, 8) + 60 * channel for channel in range(3)], axis=2).astype(np.uint8)


def decoded(path, size=8, channels=3):
    """[H, W, C], or of one channel [H, W]."""
    result = decode(path, size, channels)
    assert result.problem == ""
    return result.pixels.transpose(1, 2, 0) if channels == 3 else result.pixels[0]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".PNG"])
def test_pixels_of_the_asked_size_are_left_alone(suffix, tmp_path):
    values = COLOUR // 52 * 52 if suffix == ".gif" else COLOUR  # a palette has 256 colours
    file = save(tmp_path / f"a{suffix}", values, **{"lossless": True} if suffix == ".webp" else {})
    np.testing.assert_array_equal(decoded(file), values)
    said = header(file)
    assert (said.width, said.height, said.is_grey, said.is_animated, said.problem) == (8, 8, False, False, "")


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_what_is_compressed_comes_near(suffix, tmp_path):
    near = decoded(save(tmp_path / f"a{suffix}", SMOOTH, quality=95)).astype(int)
    assert abs(near - SMOOTH).max() < 12


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_grey_stays_grey(suffix, tmp_path):
    file = save(tmp_path / f"a{suffix}", PLAIN, **{"lossless": True} if suffix == ".webp" else {})
    assert header(file).is_grey == (suffix not in (".webp", ".gif"))  # which have colours alone
    if suffix not in (".jpg", ".jpeg"):
        np.testing.assert_allclose(decoded(file, channels=1).astype(int), PLAIN, atol=suffix == ".webp")
        np.testing.assert_array_equal(decoded(file), decoded(file, channels=1)[..., None].repeat(3, axis=2))


def test_modes_become_what_they_look_like(tmp_path):
    shapes = COLOUR[..., 0] > 127
    file = save(tmp_path / "bits.png", Image.fromarray(shapes))
    np.testing.assert_array_equal(decoded(file, channels=1), shapes * 255)
    assert header(file).is_grey

    ink = Image.fromarray(np.concatenate([COLOUR, PLAIN[..., None]], axis=2), "CMYK")
    np.testing.assert_array_equal(decoded(save(tmp_path / "ink.tif", ink)), np.asarray(ink.convert("RGB")))
    assert decoded(save(tmp_path / "ink.jpg", ink), channels=1).shape == (8, 8)

    table = Image.fromarray(COLOUR).quantize(16)
    np.testing.assert_array_equal(decoded(save(tmp_path / "table.png", table)), np.asarray(table.convert("RGB")))


DEEP = PLAIN.astype(np.uint16) * 256 + 77


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_the_high_byte_of_sixteen_bits_counts(suffix, tmp_path):
    file = save(tmp_path / f"deep{suffix}", DEEP)
    np.testing.assert_array_equal(decoded(file, channels=1), PLAIN)
    assert header(file).is_grey


def test_whole_numbers_of_32_bits_that_fit_16_are_read_and_others_refused(tmp_path):
    file = save(tmp_path / "wide.tif", DEEP.astype(np.int32))
    np.testing.assert_array_equal(decoded(file, channels=1), PLAIN)
    for number, values in enumerate((DEEP.astype(np.int32) * 9, -DEEP.astype(np.int32))):
        file = save(tmp_path / f"{number}.tif", values)
        assert "more than 16 bits; save it with 8 or 16" in decode(file, 8, 1).problem
    file = save(tmp_path / "real.tif", PLAIN / np.float32(255))
    assert "not whole; save it with 8 or 16 bits a pixel" in decode(file, 8, 1).problem


def test_transparency_is_laid_on_grey(tmp_path):
    veil = np.zeros((8, 8, 1), np.uint8)
    veil[:4] = 255
    expected = np.where(veil == 255, COLOUR, GREY)
    for suffix in (".png", ".tif"):
        file = save(tmp_path / f"rgba{suffix}", np.concatenate([COLOUR, veil], axis=2))
        np.testing.assert_array_equal(decoded(file), expected)
    file = save(tmp_path / "la.png", Image.fromarray(np.concatenate([PLAIN[..., None], veil], axis=2), "LA"))
    np.testing.assert_array_equal(decoded(file, channels=1), np.where(veil[..., 0] == 255, PLAIN, GREY))
    assert header(file).is_grey
    half = save(tmp_path / "half.png", np.full((8, 8, 4), [255, 255, 255, 128], np.uint8))
    assert abs(decoded(half).astype(int) - (255 + GREY) / 2).max() <= 1


def test_transparent_entries_of_palettes_and_transparent_colours_are_laid_on_grey_too(tmp_path):
    table = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) % 4, "P")
    table.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    solid = np.asarray(table.convert("RGB"))
    is_second = (np.asarray(table) == 1)[..., None]
    for name, entry in (("table.png", 1), ("shares.png", bytes([255, 0, 255, 255])), ("table.gif", 1)):
        file = save(tmp_path / name, table, transparency=entry)
        np.testing.assert_array_equal(decoded(file), np.where(is_second, GREY, solid))
    file = save(tmp_path / "key.png", solid, transparency=(0, 255, 0))
    np.testing.assert_array_equal(decoded(file), np.where(is_second, GREY, solid))


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_cameras_ask(orientation, suffix, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = np.kron(SMOOTH[:6, :4], np.ones((8, 8, 1), np.uint8))
    file = save(tmp_path / f"a{suffix}", values, exif=exif)
    with Image.open(file) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    assert upright.size == ((48, 32) if orientation > 4 else (32, 48))
    said = header(file)
    assert (said.width, said.height) == upright.size
    middle = ImageOps.fit(upright, (32, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(decoded(file, 32), np.asarray(middle))


@pytest.mark.parametrize(("height", "width"), [(8, 20), (20, 8)])
def test_of_what_is_not_square_the_middle_is_seen(height, width, tmp_path):
    values = pixels(3, height, width)
    top, left = (height - 8) // 2, (width - 8) // 2
    file = save(tmp_path / "a.png", values)
    np.testing.assert_array_equal(decoded(file), values[top : top + 8, left : left + 8])


def test_larger_images_are_brought_down_and_smaller_ones_up(tmp_path):
    large = save(tmp_path / "large.png", np.kron(SMOOTH, np.ones((5, 5, 1), np.uint8)))
    assert abs(decoded(large).astype(int) - SMOOTH).max() < 12
    photo = save(tmp_path / "large.jpg", np.kron(SMOOTH, np.ones((64, 64, 1), np.uint8)), quality=95)
    assert abs(decoded(photo).astype(int) - SMOOTH).max() < 12
    assert decoded(save(tmp_path / "small.png", SMOOTH[:2, :1]), 8).shape == (8, 8, 3)
    assert decoded(save(tmp_path / "line.png", pixels(0, 1, 3000)), 8).shape == (8, 8, 3)


def test_of_several_pictures_the_first_is_seen(tmp_path):
    first, second = Image.fromarray(PLAIN), Image.fromarray(255 - PLAIN)
    for suffix in (".gif", ".png", ".webp", ".tif"):
        options = {"lossless": True} if suffix == ".webp" else {}
        file = save(tmp_path / f"a{suffix}", first, save_all=True, append_images=[second], **options)
        assert header(file).is_animated
        np.testing.assert_allclose(decoded(file, channels=1).astype(int), PLAIN, atol=1)


def test_a_wrong_suffix_does_no_harm(tmp_path):
    file = save(tmp_path / "a.png", COLOUR).rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(decoded(file), COLOUR)
    assert header(file).problem == ""


def encoded(kind, values=COLOUR, **options):
    content = io.BytesIO()
    Image.fromarray(values).save(content, kind, **options)
    return content.getvalue()


def bomb():
    """A small PNG that says to be 20000x20000."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    size = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def below_the_error(content):
    """The same of 10000x10000, of which the library would only warn."""
    size = struct.pack(">II", 10_000, 10_000)
    body = b"IHDR" + size + content[24:29]
    return content[:12] + body + struct.pack(">I", zlib.crc32(body)) + content[33:]


NOISE = pixels(5, 64, 64)
BAD = {
    "empty": (b"", "is empty"),
    "zeros": (b"\0" * 500, "is no image of a kind that can be read"),
    "text": (b"no image at all\n" * 20, "is no image of a kind that can be read"),
    "vector drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no image of a kind that can be read"),
    "another kind": (encoded("ICO"), "is no image of a kind that can be read"),
    "bomb": (bomb(), "has more than 89 million pixels; make it smaller"),
    "smaller bomb": (below_the_error(bomb()), "has more than 89 million pixels; make it smaller"),
    "first bytes of a PNG": (encoded("PNG")[:20], "is"),
    "a PNG that lost a byte": (encoded("PNG")[:60] + encoded("PNG")[61:], "is broken ("),
}
HALF = {kind: encoded(kind, NOISE) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_told_in_one_text(case, tmp_path):
    content, told = BAD[case]
    file = tmp_path / "a.png"
    file.write_bytes(content)
    problems = [header(file).problem or decode(file, 8, 3).problem, decode(file, 8, 3).problem]
    for problem in problems:
        assert problem.startswith(told)
        assert "\n" not in problem
        assert len(problem) < 130
    assert len(header(file).digest) == 32


@pytest.mark.parametrize("kind", HALF)
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_half_a_file_is_told_and_no_half_image_comes_of_it(kind, share, tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(HALF[kind][: int(share * len(HALF[kind]))])
    header(file)
    result = decode(file, 64, 3)
    assert result.pixels is None
    assert result.problem.startswith("is ")
    assert "\n" not in result.problem


def test_files_with_random_damage_raise_nothing(tmp_path):
    random, file = np.random.default_rng(0), tmp_path / "a.png"
    for content in HALF.values():
        for _ in range(12):
            damaged = bytearray(content)
            for place in random.integers(0, min(len(content), 400), 6):
                damaged[place] = random.integers(256)
            file.write_bytes(damaged)
            header(file)
            result = decode(file, 16, 3)
            assert (result.pixels is None) == bool(result.problem)


def test_what_is_gone_or_cannot_be_opened_is_told(tmp_path):
    gone = tmp_path / "gone.png"
    assert header(gone).problem == decode(gone, 8, 3).problem == "cannot be read (No such file or directory)"
    file = save(tmp_path / "a.png", COLOUR)
    file.chmod(0)
    if not os.access(file, os.R_OK):
        assert header(file).problem == decode(file, 8, 3).problem == "cannot be read (Permission denied)"


def test_threads_leave_warnings_as_they_are(tmp_path):
    file, before = save(tmp_path / "a.png", NOISE), list(warnings.filters)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: decode(file, 8, 3), range(1000)))
    assert warnings.filters == before


def test_libraries_do_not_talk_of_files(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "x" * 50
    content = encoded("JPEG", exif=exif.tobytes()[:-30])
    (tmp_path / "tags.jpg").write_bytes(content)
    (tmp_path / "large.png").write_bytes(below_the_error(bomb()))
    code = "from pathlib import Path; from sdrun.tasks.images.folders.decoding import decode, header; "
    code += f"[(header(file), decode(file, 8, 3)) for file in Path({str(tmp_path)!r}).iterdir()]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
