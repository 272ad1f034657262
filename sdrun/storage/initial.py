"""The backbone of a finished run, as another run's students start from it. Imports no torch before it is read."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sdrun.errors import InputError, require
from sdrun.settings import InitNetwork, Settings
from sdrun.storage.folder import RunFolder
from sdrun.storage.place import resuming
from sdrun.storage.stage import StageResult

if TYPE_CHECKING:
    from torch import nn

BACKBONE = "backbone."


@dataclass(frozen=True)
class Initial:
    """The weights of the last stage that ``run`` trained, those that count there; ``place``: of the network in them."""

    run: Path
    stage: str
    file: Path
    sha256: str
    place: str

    def load_into(self, backbone: "nn.Module") -> None:
        """Give the backbone these weights. Raises InputError where they do not fit, such as another item size."""
        import torch

        from sdrun.storage.checkpoints import load_state

        data = self.file.read_bytes()
        require(sha256(data).hexdigest() == self.sha256, "init_from", f"{self.file} is not what that run wrote")
        state = load_state(self.file, torch.device("cpu"))
        place = f"{self.place}."
        own = {key.removeprefix(place): value for key, value in state.items() if key.startswith(place)}
        parts = {key.removeprefix(BACKBONE): value for key, value in own.items() if key.startswith(BACKBONE)}
        weights = parts or own  # of a network with a head, its backbone; or what was judged is a backbone itself
        try:
            backbone.load_state_dict(weights)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise InputError(f"init_from: {self.run} does not fit these items: {reason}") from error

    def describe(self) -> dict[str, str]:
        """For the manifest."""
        return {"run": str(self.run), "stage": self.stage, "sha256": self.sha256}


def initial(settings: Settings) -> Initial | None:
    """What ``init_from`` asks for. Raises InputError where that run is unfinished or has another model."""
    run = settings.init_from
    if run is None:
        return None
    folder = RunFolder.open(Path(run))
    folder.require_current("started from")
    status = folder.status
    require(status == "completed", "init_from", f"{run} is {status}; finish it by: {resuming(run)}")
    try:
        config = folder.document("config.yaml")
        stage = [StageResult.from_json(stage) for stage in folder.summary()["stages"] if stage["steps"]][-1]
        chosen, model = config["optim"]["select"], config["model"]
        file, sha256 = folder.weights(stage.name, chosen), stage.sha256[chosen]
    except InputError as error:
        raise InputError(f"init_from: {run} lacks what a finished run has ({error})") from error
    except (KeyError, IndexError, TypeError) as error:
        raise InputError(f"init_from: {run} lacks what a finished run has ({error!r}); choose another") from error
    place = stage.networks[_word(stage, settings.init_network, run)]
    require(file.is_file(), "init_from", f"{file} is gone; choose another run")
    own = vars(settings.model)
    if own["architecture"] != model["architecture"]:
        choice, _, name = folder.manifest["model"].partition("/")
        further = f" model.name={name}" if name else ""
        raise InputError(f"init_from: {run} has another model; choose model={choice}{further}")
    telling = own.keys() - settings.model.immaterial
    differing = [f"model.{key}={model.get(key)}" for key in own if key in telling and own[key] != model.get(key)]
    require(not differing, "init_from", f"{run} has another model; choose {' '.join(differing)}")
    return Initial(folder.path, stage.name, file, sha256, place)


def _word(stage: StageResult, network: InitNetwork | None, run: str) -> str:
    """The word of the network that is asked for: a student that has a teacher carries one."""
    student = InitNetwork.student.value
    if student in stage.networks:
        return student if network is InitNetwork.student else ""
    require(network is not InitNetwork.teacher, "init_network", f"{run} holds no teacher; choose the other")
    return ""
