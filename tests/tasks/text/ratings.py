"""An archive of ratings like that of VADER, but small."""

import io
import tarfile
import zipfile

import numpy as np

from sdrun.tasks.text.sources.vader import DOMAINS

FOLDER = "hutto_ICWSM_2014"


def files(num=40):
    """Of each domain texts that say their number, in another order than their ratings; five of a document."""
    made = {}
    for place, name in enumerate(DOMAINS.values()):
        numbers = [f"{n // 5}_{n % 5}" if place in (0, 2) else str(n) for n in range(num)]
        ratings = [[(-3, 0, 2)[n % 3]] * 7 + [(-1, 1, 4)[n % 3]] * 3 for n in range(num)]
        text = [
            f"{number}\t{np.mean(own)}\ttext {number} of {name}" for number, own in zip(numbers, ratings, strict=True)
        ]
        rated = [f"{number}\t{np.mean(own)}\t0.5\t{own}" for number, own in zip(numbers, ratings, strict=True)]
        made[f"{name}_GroundTruth.txt"] = "\ufeff" + "\r\n".join(text) + "\r\n"
        made[f"{name}_anonDataRatings.txt"] = "\ufeff" + "\r\n".join(rated[::-1]) + "\r\n"
    return made


def packed(content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in content.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def zipped(folder, content=None):
    with zipfile.ZipFile(folder / "vaderSentiment-0.5.zip", "w") as archive:
        archive.writestr(f"vaderSentiment-0.5/additional_resources/{FOLDER}.tar.gz", packed(content or files()))
    return folder / "vaderSentiment-0.5.zip"
