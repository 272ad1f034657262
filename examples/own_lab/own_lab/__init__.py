"""What is imported here is registered."""

from own_lab import patient, stripes, wide

__all__ = ["patient", "stripes", "wide"]
