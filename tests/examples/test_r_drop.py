"""R-Drop's loss against torch's own divergences; the rest is in ``contract/test_methods.py``."""

import pytest
import torch
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from further import example
from sdrun.answers import categorical as answered
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch

LOGITS = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([0, 1, 2, 0, 1])


def said(weight, logits=LOGITS):
    """What R-Drop says of a student that repeats its input."""
    with example():
        from sdrun.methods.r_drop.objective import RDrop
        from sdrun.methods.r_drop.settings import RDropSettings
    batch = Batch(0, torch.arange(5), {"weak": list(logits)}, {"label": LABEL}, Draws((0,), slice(0, 5), 5))
    answers = answered.Categorical(LOGITS.shape[-1])
    return RDrop(torch.nn.Identity(), answers, RDropSettings("r_drop", view="weak", weight=weight))(batch)


def test_the_loss_is_written_out():
    output = said(2.0)
    one, other = (Categorical(logits=z) for z in LOGITS)
    symmetric = (kl_divergence(one, other) + kl_divergence(other, one)).mean()
    truth = (F.cross_entropy(LOGITS[0], LABEL) + F.cross_entropy(LOGITS[1], LABEL)) / 2
    torch.testing.assert_close(output.terms["consistency"], symmetric)
    torch.testing.assert_close(output.loss, truth + symmetric)
    assert output.targets is None
    assert said(0.0).loss == output.terms["ce"]


@pytest.mark.parametrize("draw", [0, 1])
def test_the_gradient_goes_through_both_draws(draw):
    logits = LOGITS.clone().requires_grad_()
    said(1.0, logits).terms["consistency"].backward()
    assert logits.grad is not None
    assert logits.grad[draw].any()
