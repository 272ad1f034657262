"""A predict function in, numbers and pictures out."""
