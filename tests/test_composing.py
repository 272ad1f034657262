import composing
import pytest
from composing import composed_once
from hydra._internal.utils import get_args_parser
from omegaconf import OmegaConf

from helpers import check, register
from sdrun import preflight
from sdrun.errors import InputError

ONE = ("method=online_gradual", "dataset=digits", "dataset/stream=rotation", "seed=3", "hydra.run.dir=here")
OTHER = ("experiment=claim_freematch", "optim.lr=0.5", "method.view=strong")


def _whole(words: tuple[str, ...]) -> str:
    register()
    arguments = get_args_parser().parse_args(list(words))
    return OmegaConf.to_yaml(preflight.composed(arguments)[0], resolve=False)


def test_what_is_composed_once_is_what_hydra_composes(monkeypatch):
    with composed_once():
        first = [_whole(words) for words in (ONE, OTHER, ONE[:-2], ONE)]
    with monkeypatch.context() as patch:
        patch.setattr(composing, "_is_ours", lambda repo: False)
        assert first == [_whole(words) for words in (ONE, OTHER, ONE[:-2], ONE)]
    assert first[0] == first[3] != first[2]


@pytest.mark.parametrize("word", ["method=none_such", "model.none_such=1", "dataset/stream=none_such"])
def test_what_hydra_refuses_is_refused_each_time(word):
    for _ in range(2):
        with composed_once(), pytest.raises(InputError, match="none_such"):
            check("dataset=digits", word)
