"""Every claim that is shipped holds together, and what it tries is what its sides have."""

import pytest
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from sdrun import configuration, trust
from sdrun.choices import conf_folder
from sdrun.claims.declaration import SIDES, declaration
from sdrun.claims.sweep import UNDECLARED
from sdrun.claims.trials import trials
from sdrun.compositions import Compositions

NAMES = sorted(path.stem for path in (conf_folder() / "experiment").glob("claim_*.yaml"))


@pytest.fixture
def hydra():
    trust.install()
    configuration.register()
    yield Hydra.create_main_hydra2("sdrun", create_config_search_path(str(conf_folder())))
    GlobalHydra.instance().clear()


@pytest.mark.parametrize("name", NAMES)
def test_a_claim_declares_what_its_sides_have(name, hydra):
    config = hydra.compose_config("config", [f"experiment={name}"], RunMode.MULTIRUN)
    values = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    claim = declaration({key: value for key, value in values.items() if key not in UNDECLARED})
    assert config.hydra.sweep.dir == f"outputs/claims/{name.removeprefix('claim_')}"
    compositions = Compositions(config, hydra.config_loader)
    for side in SIDES:
        assert 1 <= claim.trials <= claim.num_combinations(side)
        tried = trials(claim, side)
        for line in (tried[0], tried[-1]):
            whole = compositions.config([f"experiment={name}", *getattr(claim, side), *line])
            configuration.settings_from(whole)
    for further in filter(None, (claim.silent, claim.uninformed, claim.labels)):
        line = [f"experiment={name}", *claim.method, *trials(claim, "method")[0], *further]
        configuration.settings_from(compositions.config(line))
