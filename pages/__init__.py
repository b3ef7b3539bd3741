"""The pages of `docs/` that are made from the code, so that they cannot drift from it; and the gallery's execution.

``python -m pages`` writes them all; ``tests/pages`` holds each against what the code makes of it today.
"""
