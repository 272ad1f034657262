"""A page of suspicious labels, for a person to go through."""
