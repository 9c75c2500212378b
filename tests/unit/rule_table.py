"""The table of inputs that make each rule speak; `test_check_each_rule` runs it."""

from __future__ import annotations

from .rule_table_tiff import TIFFS
from .rule_table_zarr import STORES

EXAMPLES = (*TIFFS, *STORES)
