"""Self-distillation where all of it can be computed: ridge regression on features that stay as they are."""
