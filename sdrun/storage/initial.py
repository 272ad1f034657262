"""The backbone of a finished run, as another run's students start from it. Imports no torch before it is read."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sdrun.errors import InputError, require
from sdrun.settings import InitNetwork, Settings
from sdrun.storage.folder import RunFolder
from sdrun.storage.place import resuming

if TYPE_CHECKING:
    from torch import nn

BACKBONE = "backbone."
PREFIXES = {
    InitNetwork.teacher: (f"teacher.network.{BACKBONE}", f"average.network.{BACKBONE}"),
    InitNetwork.student: (f"student.{BACKBONE}",),
}


@dataclass(frozen=True)
class Initial:
    """The weights of the last stage that ``run`` trained, those that count there."""

    run: Path
    stage: str
    file: Path
    sha256: str
    network: InitNetwork | None

    def load_into(self, backbone: "nn.Module") -> None:
        """Give the backbone these weights. Raises InputError where they do not fit, such as another image size."""
        import torch

        from sdrun.storage.checkpoints import load_state

        data = self.file.read_bytes()
        require(sha256(data).hexdigest() == self.sha256, "init_from", f"{self.file} is not what that run wrote")
        state = load_state(self.file, torch.device("cpu"))
        has_teacher = any(key.startswith(PREFIXES[InitNetwork.teacher]) for key in state)
        network = self.network or (InitNetwork.teacher if has_teacher else InitNetwork.student)
        known = [key for key in state if key.startswith(PREFIXES[network])]
        weights = {key.split(BACKBONE, 1)[1]: state[key] for key in known}
        require(bool(weights), "init_network", f"{self.run} holds no {network.value}; choose the other")
        try:
            backbone.load_state_dict(weights)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise InputError(f"init_from: {self.run} does not fit these images: {reason}") from error

    def describe(self) -> dict[str, str]:
        """For the manifest."""
        return {"run": str(self.run), "stage": self.stage, "sha256": self.sha256}


def initial(settings: Settings) -> Initial | None:
    """What ``init_from`` asks for. Raises InputError where that run is unfinished or has another model."""
    run = settings.init_from
    if run is None:
        return None
    folder = RunFolder.open(Path(run))
    status = folder.status
    require(status == "completed", "init_from", f"{run} is {status}; finish it by: {resuming(run)}")
    try:
        config = folder.document("config.yaml")
        stage = [stage for stage in folder.summary()["stages"] if stage["steps"]][-1]
        chosen = config["optim"]["select"]
        found = Initial(
            run=folder.path,
            stage=stage["name"],
            file=folder.weights(stage["name"], chosen),
            sha256=stage["sha256"][chosen],
            network=settings.init_network,
        )
        other = config["model"]
    except InputError as error:
        raise InputError(f"init_from: {run} lacks what a finished run has ({error})") from error
    except (KeyError, IndexError, TypeError) as error:
        raise InputError(f"init_from: {run} lacks what a finished run has ({error!r}); choose another") from error
    require(found.file.is_file(), "init_from", f"{found.file} is gone; choose another run")
    own = vars(settings.model)
    if own["architecture"] != other["architecture"]:
        raise InputError(f"init_from: {run} has another model; choose model={other['name']}")
    differing = [f"model.{key}={other.get(key)}" for key in own if key != "name" and own[key] != other.get(key)]
    require(not differing, "init_from", f"{run} has another model; choose {' '.join(differing)}")
    return found
