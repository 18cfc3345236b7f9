"""The suite's speed beside straightforward code for the same work: ``python -m tools.perf``."""
