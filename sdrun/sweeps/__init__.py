"""Many runs at once: which there are, the processes that make them, and what a person sees of them."""
