"""What is trained: a batch in, loss and metrics out."""
