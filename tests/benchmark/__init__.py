"""Tests of what the benchmark measures and reports; timings themselves are no tests."""

from tests.by_place import load

load("local")
load("benchmarking")
