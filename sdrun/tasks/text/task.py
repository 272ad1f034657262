"""Texts of K classes, in memory as the tokens that the model takes, and their views."""

from collections.abc import Callable

import torch
from torch import Tensor

from sdrun.answers.categorical import Categorical
from sdrun.data.labelled import Labelled, Splits
from sdrun.data.source import Packed, With, in_memory
from sdrun.hardware import Hardware
from sdrun.judges.classification import Classification
from sdrun.settings import CLEAN
from sdrun.task import Task
from sdrun.tasks.text.pieces import FILE, Pieces, learned
from sdrun.tasks.text.settings import TextSettings
from sdrun.tasks.text.texts import Texts
from sdrun.tasks.text.tokens import PAD, Reader
from sdrun.tasks.text.views import Clean, View
from sdrun.tasks.text.words import Words


def build(
    settings: TextSettings, splits: Splits, hardware: Hardware, keep: Callable[[str, Callable[[], bytes]], bytes]
) -> Task:
    """The form ``words`` or ``pieces`` is the model's choice; see ``Words`` and ``Pieces``."""
    kind, (most,), num_values = splits.item.kind, splits.item.shape, splits.item.num_values
    reader: Reader = Words()
    if kind == "pieces":
        assert num_values
        reader = Pieces(keep(FILE, lambda: learned(_texts(splits.train), num_values)))
    tokens = {name: reader.encode(_texts(part), most) for name, part in splits.parts.items()}
    length = max(part.longest for part in tokens.values())
    known = in_memory(splits, hardware.device)
    parts = {
        name: With(
            Packed(
                {
                    "tokens": torch.tensor(part.numbers, device=hardware.device),
                    "starts": torch.tensor(part.starts, device=hardware.device),
                },
                torch.tensor(part.ends, device=hardware.device),
                length,
            ),
            known[name].fields,
        )
        for name, part in tokens.items()
    }
    num, num_cut = (sum(numbers) for numbers in zip(*((len(p.ends), p.num_cut) for p in tokens.values()), strict=True))

    def text(seen: Tensor) -> list[str]:
        return [reader.text(row[row != PAD].tolist()) for row in seen.cpu()]

    return Task(
        splits=splits,
        parts=parts,
        inputs=("tokens", "starts"),
        views={CLEAN: Clean(), **{role: View(view, length) for role, view in settings.views.items()}},
        answers=Categorical(len(splits.classes)),
        judge=Classification,
        text=text,
        doubt=f"{num_cut:,} of {num:,} texts are longer than model.length={most} {kind}, and are cut"
        if num_cut
        else None,
    )


def _texts(part: Labelled) -> Texts:
    texts = part.fields["text"]
    assert isinstance(texts, Texts)
    return texts
