"""Items by position, labels, and how they are split."""
