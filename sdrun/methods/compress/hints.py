"""Features of a student that are to be those of its teacher, after a learned projection (FitNets, 1412.6550)."""

from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.methods.compress.settings import HintSettings
from sdrun.models.backbone import Backbone, Network, Taps
from sdrun.teachers.guest import Translated
from sdrun.trees import Tree

LOGITS, FEATURES = "logits", "features"


class Tapped(nn.Module):
    """A network that gives its features at a tap beside its logits."""

    def __init__(self, network: Network, tap: str) -> None:
        super().__init__()
        self.network, self.tap = network, tap

    def forward(self, items: Tree) -> dict[str, Tensor]:
        features = self.network.backbone(items)
        return {LOGITS: self.network.head(features.final), FEATURES: features.taps[self.tap]}


class Unused(nn.Module):
    """A projection that is not needed any more, of which nothing is known: whatever weights it had are passed over."""

    def _load_from_state_dict(self, *_: object) -> None:
        pass


class Hinted(Tapped):
    """The same with a projection of the features to ``width`` channels, which is trained with the network.

    ``width``: None where the network is only used.
    """

    def __init__(self, network: Network, tap: str, width: int | None) -> None:
        super().__init__(network, tap)
        own = network.backbone.tap_features[tap]
        is_map = network.backbone.taps_are is Taps.maps
        self.project: nn.Module = Unused()
        if width is not None:
            self.project = nn.Conv2d(own, width, 1) if is_map else nn.Linear(own, width)

    def forward(self, items: Tree) -> dict[str, Tensor]:
        told = super().forward(items)
        return {**told, FEATURES: self.project(told[FEATURES])}

    def compile(self, *arguments: object, **options: object) -> None:
        """Compile its parts, which it calls one by one."""
        self.network.compile(*arguments, **options)
        self.project.compile(*arguments, **options)


def tapped(settings: HintSettings, network: nn.Module) -> nn.Module:
    """A teacher that is asked for features too."""
    if isinstance(network, Translated):
        return Translated(tapped(settings, network.network), network.told, network.heard)
    plain = _plain(network)
    return Tapped(plain, settings.teacher or _deepest(plain))


def hinted(settings: HintSettings, answers: Answers, teacher: nn.Module | None, backbone: Backbone) -> Hinted:
    """A student with a head, whose features go to the teacher's, or nowhere where that is not there any more."""
    network = Network(backbone, answers.head(backbone.num_features))
    width = None
    if teacher is not None:
        other = _plain(teacher.network if isinstance(teacher, Translated) else teacher)
        width = other.backbone.tap_features[settings.teacher or _deepest(other)]
    return Hinted(network, settings.student or _deepest(network), width)


def alike(teacher: Tensor, student: Tensor) -> Tensor:
    """Maps of the teacher [B, C, H, W] in as many rows and columns as the student's; other features as they are."""
    return F.adaptive_avg_pool2d(teacher, (student.shape[2], student.shape[3])) if teacher.ndim == 4 else teacher


def _plain(network: nn.Module) -> Network:
    assert isinstance(network, Network), type(network)
    return network


def _deepest(network: Network) -> str:
    return list(network.backbone.tap_features)[-1]
