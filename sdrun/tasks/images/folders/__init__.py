"""Pictures in files of any size and kind: found, decoded, and kept at one size. Imports no torch."""
