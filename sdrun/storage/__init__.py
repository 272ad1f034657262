"""Run folder, checkpoints, record."""
