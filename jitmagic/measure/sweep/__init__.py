"""A sweep over sizes: which sizes, what each may cost, and what their times say. Pure logic."""
