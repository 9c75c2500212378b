"""Valid metadata with one thing broken at a time, and which rules of the check say so.

``python -m tests.mutations`` makes all mutations and writes docs/metadata-mutations.md; `test_mutations.py` makes some of them.
"""
