"""Runs held against each other. Reads run folders alone, so that it serves every method. Imports no torch."""
