"""What judges say of networks, and what the metrics in it mean."""
