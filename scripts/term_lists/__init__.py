"""Parts of ``scripts/make_term_lists.py``: which terms imaging needs, and where each list is made from."""
