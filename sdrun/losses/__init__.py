"""Pure formulas of tensors."""
