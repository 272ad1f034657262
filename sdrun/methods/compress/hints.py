"""Features of a student that are to be those of its teacher, after a learned projection (FitNets, 1412.6550)."""

from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.errors import require
from sdrun.methods.compress.settings import HintSettings
from sdrun.models.backbone import Backbone, Network, Taps
from sdrun.teachers.guest import Translated
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
    """A teacher that is asked for features too. Raises InputError where it has none."""
    if isinstance(network, Translated):
        return Translated(tapped(settings, network.network), network.told, network.heard)
    plain = _plain(network)
    return Tapped(plain, _tap(settings, "teacher", plain.backbone))


def hinted(settings: HintSettings, answers: Answers, teacher: nn.Module | None, backbone: Backbone) -> Hinted:
    """A student with a head, whose features go to the teacher's. Raises InputError where they cannot be compared."""
    network, tap = Network(backbone, answers.head(backbone.num_features)), _tap(settings, "student", backbone)
    if teacher is None:
        return Hinted(network, tap, None)
    others = _plain(teacher.network if isinstance(teacher, Translated) else teacher).backbone
    kinds = backbone.taps_are.value, others.taps_are.value
    require(kinds[0] == kinds[1], KEY, f"the student's taps are {kinds[0]} and the teacher's {kinds[1]}; leave it out")
    width = others.tap_features[_tap(settings, "teacher", others)]
    return Hinted(network, tap, width)


def alike(teacher: Tensor, student: Tensor) -> Tensor:
    """Maps of the teacher [B, C, H, W] in as many rows and columns as the student's; other features as they are."""
    return F.adaptive_avg_pool2d(teacher, (student.shape[2], student.shape[3])) if teacher.ndim == 4 else teacher


def _plain(network: nn.Module) -> Network:
    is_plain = isinstance(network, Network)
    require(is_plain, KEY, f"needs a teacher that is a backbone and a head, but it is a {type(network).__name__}")
    assert isinstance(network, Network)
    return network


def _tap(settings: HintSettings, whose: str, backbone: Backbone) -> str:
    """The tap of a student or teacher, the deepest if none is named."""
    names = list(backbone.tap_features)
    require(bool(names), KEY, f"the {whose} has no taps; sdrun taps shows which models have")
    tap: str = vars(settings)[whose] or names[-1]
    require(tap in names, f"method.hints.{whose}", f"is {tap!r}, but the taps are {', '.join(names)}")
    return tap
