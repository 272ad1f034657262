"""sdrun: an experiment runner for self-distillation."""

__version__ = "0.1.0"
