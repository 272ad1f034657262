"""How texts are seen: words dropped, masked and shuffled, a batch at a time on the device."""

import torch
from torch import Tensor

from sdrun.data.source import Fields
from sdrun.tasks.text.settings import ViewSettings
from sdrun.tasks.text.tokens import MASK, PAD


class Clean:
    """All tokens [B, L] as they are."""

    num_draws = 0

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        return fields["tokens"]


class View:
    """Tokens [B, L] of which whole words, all pieces of each, are dropped, masked, or moved; the rest closes up.

    Each of the three looks at draws of its own, ``length`` of them, which is as long as a text may be: to turn one off
    changes no other, nor does another text that is longer. The word that is least likely to be dropped stays as it is.
    """

    def __init__(self, settings: ViewSettings, length: int) -> None:
        self.settings, self.length, self.num_draws = settings, length, 3 * length

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        """fields: ``tokens``, and where these are pieces ``starts``, whether a word starts there, [B, L]."""
        s, tokens = self.settings, fields["tokens"]
        drop, mask, move = u.unflatten(1, (3, self.length))[:, :, : tokens.shape[1]].unbind(dim=1)  # [B, L]: of words
        is_start = fields.get("starts", tokens != PAD)
        word = (is_start.cumsum(dim=1) - 1).clamp_min(0) if "starts" in fields else None  # [B, L]: whose token it is

        def of_tokens(values: Tensor) -> Tensor:
            return values if word is None else values.gather(1, word)

        place = torch.arange(tokens.shape[1], device=tokens.device)
        is_word = place < is_start.sum(dim=1, keepdim=True)
        stays = drop.masked_fill(~is_word, -1).argmax(dim=1, keepdim=True)
        if s.mask:
            is_masked = of_tokens((mask < s.mask).scatter(1, stays, False))
            tokens = tokens.masked_fill(is_masked & (tokens != PAD), MASK)
        if s.drop:
            tokens = tokens.masked_fill(of_tokens((drop < s.drop).scatter(1, stays, False)), PAD)
        if s.shuffle:
            # no word can pass one that is more than s.shuffle places ahead (1711.00043, section 2.3)
            order = of_tokens(place + (s.shuffle + 1) * move).argsort(dim=1, stable=True)
            tokens = tokens.gather(1, order)
        return closed_up(tokens) if s.drop or s.shuffle else tokens


def closed_up(tokens: Tensor) -> Tensor:
    """The tokens [B, L] of each text in their order, without gaps between them."""
    place = ((tokens != PAD).cumsum(dim=1) - 1).clamp_min(0)
    return torch.zeros_like(tokens).scatter_add(1, place, tokens)  # PAD adds nothing
