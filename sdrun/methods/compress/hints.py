"""Features of a student that are to be those of its teacher, after a learned projection (FitNets, 1412.6550)."""

from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.errors import require
from sdrun.methods.compress.settings import HintSettings
from sdrun.models.backbone import Backbone, Network, Taps
from sdrun.trees import Tree

LOGITS, FEATURES = "logits", "features"
KEY = "method.hints.weight"


class Tapped(nn.Module):
    """A network that gives its features at a tap beside its logits."""

    def __init__(self, network: Network, tap: str) -> None:
        super().__init__()
        self.network, self.tap = network, tap

    def forward(self, items: Tree) -> dict[str, Tensor]:
        features = self.network.backbone(items)
        return {LOGITS: self.network.head(features.final), FEATURES: features.taps[self.tap]}


class Hinted(Tapped):
    """The same with a projection of the features to ``width`` channels, which is trained with the network."""

    def __init__(self, network: Network, tap: str, width: int) -> None:
        super().__init__(network, tap)
        own = network.backbone.tap_features[tap]
        is_map = network.backbone.taps_are is Taps.maps
        self.project = nn.Conv2d(own, width, 1) if is_map else nn.Linear(own, width)

    def forward(self, items: Tree) -> dict[str, Tensor]:
        told = super().forward(items)
        return {**told, FEATURES: self.project(told[FEATURES])}

    def compile(self, *arguments: object, **options: object) -> None:
        """Compile its parts, which it calls one by one."""
        self.network.compile(*arguments, **options)
        self.project.compile(*arguments, **options)


def tapped(settings: HintSettings, network: nn.Module) -> Tapped:
    """A teacher that is asked for features too. Raises InputError where it has none."""
    plain = _plain("teacher", network)
    return Tapped(plain, _tap(settings, "teacher", plain.backbone))


def hinted(settings: HintSettings, answers: Answers, teacher: nn.Module, backbone: Backbone) -> Hinted:
    """A student with a head, whose features go to the teacher's. Raises InputError where they cannot be compared."""
    network, others = Network(backbone, answers.head(backbone.num_features)), _plain("teacher", teacher).backbone
    kinds = backbone.taps_are.value, others.taps_are.value
    require(kinds[0] == kinds[1], KEY, f"the student's taps are {kinds[0]} and the teacher's {kinds[1]}; leave it out")
    width = others.tap_features[_tap(settings, "teacher", others)]
    return Hinted(network, _tap(settings, "student", backbone), width)


def alike(teacher: Tensor, student: Tensor) -> Tensor:
    """Maps of the teacher [B, C, H, W] in as many rows and columns as the student's; other features as they are."""
    return F.adaptive_avg_pool2d(teacher, (student.shape[2], student.shape[3])) if teacher.ndim == 4 else teacher


def _plain(whose: str, network: nn.Module) -> Network:
    is_plain = isinstance(network, Network)
    require(is_plain, KEY, f"needs a {whose} that is a backbone and a head, but it is a {type(network).__name__}")
    assert isinstance(network, Network)
    return network


def _tap(settings: HintSettings, whose: str, backbone: Backbone) -> str:
    """The tap of a student or teacher, the deepest if none is named."""
    names = list(backbone.tap_features)
    require(bool(names), KEY, f"the {whose} has no taps; sdrun taps shows which models have")
    tap: str = vars(settings)[whose] or names[-1]
    require(tap in names, f"method.hints.{whose}", f"is {tap!r}, but the taps are {', '.join(names)}")
    return tap
