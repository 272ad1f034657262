"""Networks that give targets, frozen or following."""
