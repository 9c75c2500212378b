"""Tests of the local Galaxy's scripts, and in it."""

from tests.by_place import load

load("local")
