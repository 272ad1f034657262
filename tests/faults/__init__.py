"""Faults done to runs on purpose: kills, damage, full disks, hostile folders. See docs/reliability.md."""
