"""Pythran as a backend of jitmagic."""
