"""The IPython front: ``%%jitcompare``, ``%jitcompare``, ``%jitlint`` and ``%jitdevices``.

``options`` needs no IPython: the shell command reads by it too.
"""
