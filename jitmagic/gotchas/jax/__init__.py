"""The traps of JAX."""
