"""Searches of sampler parameters with Optuna, whose points are ordinary trials."""
