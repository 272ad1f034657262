"""Claims: what a method is said to give, the runs that can tell, and what they tell. Imports no torch."""
