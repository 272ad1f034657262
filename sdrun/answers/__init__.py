"""What networks say: how far from the truth, how far from each other, and what several say together."""
