"""What sdrun's own methods, models and datasets keep, held against those of a plugin, on small data on the CPU."""
