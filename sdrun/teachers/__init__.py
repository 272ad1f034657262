"""Frozen networks that give targets."""
