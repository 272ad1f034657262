"""Streams: pure functions from a step to its batch."""
