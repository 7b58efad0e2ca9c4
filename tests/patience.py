"""The one limit of time of all tests. It guards against hanging and decides nothing else, so that a slow machine fails no test."""

PATIENCE = 240.0
"""Seconds for one wait. Nothing that is well takes a fifth of it (CONTRIBUTING.md lists what the slowest tests take); what runs a whole
suite inside one test waits three times as long."""
