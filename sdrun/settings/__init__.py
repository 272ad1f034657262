"""Typed settings: names, types, units, checks. Values live in ``conf/``. Imports no torch."""

from sdrun.settings.checks import (
    AUTO,
    CLEAN,
    ROLES,
    TEST_SHARE,
    require_interval,
    require_positive,
    require_range,
    require_range_or_auto,
    require_test_share,
    require_view,
)
from sdrun.settings.dataset import CORRECTED, ConsensusKind, DatasetSettings, NoiseKind
from sdrun.settings.hardware import Device, HardwareSettings, Precision
from sdrun.settings.item import Item, ItemCounts
from sdrun.settings.method import CONTROLS, Control, MethodSettings, Situation, TargetKind
from sdrun.settings.model import ModelSettings, Shape, numbered
from sdrun.settings.optim import OPTIMS, MomentumSchedule, OptimSettings, Schedule, Select
from sdrun.settings.own import OwnSettings
from sdrun.settings.run import InitNetwork, Settings
from sdrun.settings.stream import (
    CutSettings,
    DomainSettings,
    DriftSettings,
    FilesSettings,
    FrequencySettings,
    StreamSettings,
    UnlabelledSettings,
)
from sdrun.settings.tasks import STREAMS, ClassTasks, DatasetTasks, DomainTasks, TaskSettings

__all__ = [
    "AUTO",
    "CLEAN",
    "CONTROLS",
    "CORRECTED",
    "OPTIMS",
    "ROLES",
    "STREAMS",
    "TEST_SHARE",
    "ClassTasks",
    "ConsensusKind",
    "Control",
    "CutSettings",
    "DatasetSettings",
    "DatasetTasks",
    "Device",
    "DomainSettings",
    "DomainTasks",
    "DriftSettings",
    "FilesSettings",
    "FrequencySettings",
    "HardwareSettings",
    "InitNetwork",
    "Item",
    "ItemCounts",
    "MethodSettings",
    "ModelSettings",
    "MomentumSchedule",
    "NoiseKind",
    "OptimSettings",
    "OwnSettings",
    "Precision",
    "Schedule",
    "Select",
    "Settings",
    "Shape",
    "Situation",
    "StreamSettings",
    "TargetKind",
    "TaskSettings",
    "UnlabelledSettings",
    "numbered",
    "require_interval",
    "require_positive",
    "require_range",
    "require_range_or_auto",
    "require_test_share",
    "require_view",
]
