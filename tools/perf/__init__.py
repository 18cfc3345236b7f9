"""The suite's own speed, measured side by side with straightforward ways to do the same (``bench perf``)."""
