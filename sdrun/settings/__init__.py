"""Typed settings: names, types, units, checks. Values live in ``conf/``. Imports no torch."""

from sdrun.settings.checks import require_positive, require_range
from sdrun.settings.data import DatasetSettings, NoiseKind, ViewSettings
from sdrun.settings.hardware import Device, HardwareSettings, Precision
from sdrun.settings.models import MODELS
from sdrun.settings.optim import OPTIMS, OptimSettings, Schedule, Select
from sdrun.settings.run import Settings

__all__ = [
    "MODELS",
    "OPTIMS",
    "DatasetSettings",
    "Device",
    "HardwareSettings",
    "NoiseKind",
    "OptimSettings",
    "Precision",
    "Schedule",
    "Select",
    "Settings",
    "ViewSettings",
    "require_positive",
    "require_range",
]
