"""Views of vectors: standardised, with noise, masked and swapped, by draws of their own."""

import pytest
import torch

from sdrun.tasks.vectors.settings import ViewSettings
from sdrun.tasks.vectors.views import Standardise, View

MEAN, STD = torch.tensor([10.0, 0.0, -1.0]), torch.tensor([2.0, 1.0, 0.5])
OTHERS = torch.tensor([[12.0, 1.0, -0.5], [8.0, -1.0, -1.5], [14.0, 2.0, 0.0], [10.0, 0.0, -1.0]])
FIELDS = {"vector": torch.tensor([[14.0, 3.0, -1.0], [10.0, 1.0, 0.0]])}
CLEAN = Standardise(MEAN, STD)


def seen(noise=0.0, mask=0.0, swap=0.0, **draws):
    """With draws of 0.5, but for those that are given: which are ``chosen``, ``whose`` they become, and their noise."""
    u = torch.full((2, 3, 3), 0.5)
    for place, name in enumerate(("chosen", "whose", "moved")):
        for row, values in enumerate(draws.get(name, [])):
            u[row, place] = torch.tensor(values)
    return View(ViewSettings(noise, mask, swap), CLEAN, OTHERS)(FIELDS, u.flatten(1))


def close(one, other):
    torch.testing.assert_close(one, torch.tensor(other))


def test_nothing_happens_where_all_is_off():
    clean = CLEAN(FIELDS, torch.empty(2, 0))
    close(clean, [[2.0, 3.0, 0.0], [0.0, 1.0, 2.0]])
    assert torch.equal(seen(), clean)


def test_masked_numbers_are_their_mean():
    close(seen(mask=0.3, chosen=[[0.9, 0.1, 0.9], [0.2, 0.71, 0.69]]), [[0.0, 3.0, 0.0], [0.0, 0.0, 2.0]])


def test_swapped_numbers_are_those_of_a_training_item_in_their_own_column():
    chosen, whose = [[0.2, 0.9, 0.1], [0.4, 0.0, 0.9]], [[0.0, 0.0, 0.99], [0.0, 0.6, 0.0]]
    close(seen(swap=0.3, chosen=chosen, whose=whose), [[1.0, 3.0, 0.0], [0.0, 2.0, 2.0]])


def test_noise_is_in_standard_deviations():
    quantiles = [[0.8413447, 0.5, 0.1586553], [0.5, 0.9772499, 0.5]]
    close(seen(noise=0.1, moved=quantiles), [[2.1, 3.0, -0.1], [0.0, 1.2, 2.0]])
    assert seen(noise=1.0, moved=[[0.0] * 3] * 2).isfinite().all()
    torch.manual_seed(0)
    fields = {"vector": MEAN.expand(20000, 3)}
    moved = View(ViewSettings(0.3, 0.0, 0.0), CLEAN, OTHERS)(fields, torch.rand(20000, 9))
    assert moved.std(dim=0).tolist() == pytest.approx([0.3] * 3, rel=0.03)
    assert moved.mean(dim=0).tolist() == pytest.approx([0.0] * 3, abs=0.01)


def test_shares_are_what_the_settings_say_and_touch_other_numbers():
    torch.manual_seed(0)
    fields = {"vector": torch.full((20000, 3), 77.0)}
    x = View(ViewSettings(0.0, 0.2, 0.3), CLEAN, OTHERS)(fields, torch.rand(20000, 9)) * STD + MEAN
    is_swapped = (x[:, :1] == torch.tensor([[12.0, 8.0, 14.0]])).any(dim=1)  # the fourth is the mean itself
    assert float(is_swapped.float().mean()) == pytest.approx(0.3 * 3 / 4, abs=0.01)
    assert float((x == 77).float().mean()) == pytest.approx(0.5, abs=0.01)


def test_to_turn_one_off_changes_no_other():
    torch.manual_seed(0)
    u = torch.rand(2, 9)

    def views(**values):
        return View(ViewSettings(**{"noise": 0.0, "mask": 0.0, "swap": 0.0, **values}), CLEAN, OTHERS)(FIELDS, u)

    clean = views()
    masked, swapped, moved = views(mask=0.5), views(swap=0.5), views(noise=0.5)
    together = views(mask=0.5, swap=0.5, noise=0.5)
    is_masked = (masked == 0) & (clean != 0)
    close(together, torch.where(is_masked, 0, swapped).add(moved - clean).tolist())
