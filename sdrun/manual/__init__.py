"""What there is to know of methods and their knobs, read from docstrings and YAML comments. Imports no torch."""
