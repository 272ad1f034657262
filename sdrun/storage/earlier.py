"""Settings that came when there were runs already, as those runs, whose documents have no word of them, had them."""

from typing import Any

OF_ROOT: dict[str, Any] = {"pictures": True, "control": "none"}
OF_DATASETS: dict[str, Any] = {
    "label_noise_matrix": None,
    "annotations": None,
    "consensus": "majority",
    "corrections": None,
    "corrections_column": "label",
}
OF_DATASET: dict[str, dict[str, Any]] = {"vader": {"raters": 1}}
OF_METHODS: dict[str, dict[str, Any]] = {
    "born_again": {"targets": "soft", "view": "weak", "label_smoothing": 0.0},
    "consistency": {"label_smoothing": 0.0},
    "mean_teacher": {"label_smoothing": 0.0},
    "refine_elr": {"label_smoothing": 0.0},
    "supervised": {"average": 0.0},
}
CHOICES = {
    ("consistency", "plain"): "consistency",
    ("layerwise", "default"): "layerwise",
    ("layerwise", "plain"): "layerwise_plain",
    ("layerwise", "byot"): "layerwise_byot",
}
"""Of the group ``method``, by method and ``method.preset``, where they are not called as the preset was."""


def choice_of_preset(method: str, preset: str) -> str:
    """The choice of the group ``method`` that has the values of a former preset."""
    return CHOICES.get((method, preset), preset)


def with_later(settings: dict[str, Any]) -> dict[str, Any]:
    """A run's settings, with what has come since."""
    method = settings.get("method")
    if not isinstance(method, dict) or not isinstance(name := method.get("name"), str):
        return settings
    later = {**OF_ROOT, **settings, "method": {**OF_METHODS.get(name, {}), **method}}
    dataset = settings.get("dataset")
    if not isinstance(dataset, dict):
        return later
    return {**later, "dataset": {**OF_DATASETS, **OF_DATASET.get(str(dataset.get("name")), {}), **dataset}}
