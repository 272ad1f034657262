"""Texts as a person sees them."""

from sdrun.data.labelled import Labelled
from sdrun.tasks.text.texts import Texts


def shown(items: Labelled) -> list[bytes | str]:
    texts = items.fields["text"]
    assert isinstance(texts, Texts)
    return list(texts)
