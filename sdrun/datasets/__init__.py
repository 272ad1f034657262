"""Where images come from, which of them train, and what is wrong with their labels. Imports no torch."""
