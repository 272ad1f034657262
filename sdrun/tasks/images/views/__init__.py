"""Batched augmentations: pure functions of images and uniform numbers, one row a sample."""
