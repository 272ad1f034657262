"""Typed settings: names, types, units, checks. Values live in ``conf/``. Imports no torch."""

from sdrun.settings.checks import (
    AUTO,
    CLEAN,
    ROLES,
    require_positive,
    require_range,
    require_range_or_auto,
    require_view,
)
from sdrun.settings.data import DatasetSettings, NoiseKind, ViewSettings
from sdrun.settings.exits import ALWAYS, NEVER, Confidence, ExitPolicySettings
from sdrun.settings.hardware import Device, HardwareSettings, Precision
from sdrun.settings.models import MODELS
from sdrun.settings.optim import OPTIMS, MomentumSchedule, OptimSettings, Schedule, Select
from sdrun.settings.run import InitNetwork, Settings

__all__ = [
    "ALWAYS",
    "AUTO",
    "CLEAN",
    "MODELS",
    "NEVER",
    "OPTIMS",
    "ROLES",
    "Confidence",
    "DatasetSettings",
    "Device",
    "ExitPolicySettings",
    "HardwareSettings",
    "InitNetwork",
    "MomentumSchedule",
    "NoiseKind",
    "OptimSettings",
    "Precision",
    "Schedule",
    "Select",
    "Settings",
    "ViewSettings",
    "require_positive",
    "require_range",
    "require_range_or_auto",
    "require_view",
]
