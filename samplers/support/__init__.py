"""What samplers share: groups, counts, registry, source digest, recorder and diagnostics."""
