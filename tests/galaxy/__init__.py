"""Tests of the local Galaxy and of what runs in it."""
