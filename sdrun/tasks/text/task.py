"""Texts of K classes, in memory as the tokens that the model takes, and their views."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from sdrun.answers.categorical import Categorical
from sdrun.data.labelled import Labelled, Splits
from sdrun.data.source import Packed, With, in_memory
from sdrun.hardware import Hardware
from sdrun.judges.classification import Classification
from sdrun.settings import CLEAN
from sdrun.task import Task
from sdrun.tasks import Keep
from sdrun.tasks.text.settings import TextSettings
from sdrun.tasks.text.texts import Texts
from sdrun.tasks.text.tokens import PAD, Reader
from sdrun.tasks.text.views import Clean, View
from sdrun.tasks.text.words import Words


def build(settings: TextSettings, splits: Splits, hardware: Hardware, keep: Keep) -> Task:
    """The form of the items is the model's choice. Padded they are as long as the longest of their part."""
    (length,) = splits.item.shape
    reader = _reader(splits, keep)
    tokens = {name: reader.encode(_texts(part), length) for name, part in splits.parts.items()}
    inputs = ("tokens",) if splits.item.kind == "words" else ("tokens", "starts")
    arrays = in_memory(splits, hardware.device)
    on_device = partial(torch.tensor, device=hardware.device)
    parts = {
        name: With(
            Packed({field: on_device(part.fields[field]) for field in inputs}, on_device(part.ends), part.longest),
            arrays[name].fields,
        )
        for name, part in tokens.items()
    }

    def text(seen: Tensor) -> list[str]:
        return [reader.text(row[row != PAD].tolist()) for row in seen.cpu()]

    return Task(
        splits=splits,
        parts=parts,
        inputs=inputs,
        views={CLEAN: Clean(), **{role: View(view, length) for role, view in settings.views.items()}},
        answers=Categorical(len(splits.classes)),
        judge=Classification,
        text=text,
        reading=f"{splits.item} {reader.fingerprint}",
        doubts=tuple(_doubts(splits, sum(part.num_cut for part in tokens.values()))),
    )


def _reader(splits: Splits, keep: Keep) -> Reader:
    """What makes the tokens that a model takes."""
    if splits.item.kind == "words":
        return Words()
    assert splits.item.kind == "pieces"
    assert splits.item.num_values
    from sdrun.tasks.text.pieces import FILE, Pieces, learned

    num_pieces = splits.item.num_values
    return Pieces(keep(FILE, lambda: learned(_texts(splits.train), num_pieces)))


def _doubts(splits: Splits, num_cut: int) -> Iterator[str]:
    """What a person should hear of texts of which ``num_cut`` are longer than the model takes."""
    if num_cut:
        num, (length,) = sum(map(len, splits.parts.values())), splits.item.shape
        much = f"{num_cut:,} of {num:,} texts are longer than {length} {splits.item.kind}"
        yield f"{much}, and are cut; raise model.length"


def _texts(part: Labelled) -> Texts:
    texts = part.fields["text"]
    assert isinstance(texts, Texts)
    return texts
