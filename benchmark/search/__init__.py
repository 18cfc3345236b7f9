"""Searches of sampler parameters with Optuna.

A search is a study of Optuna's in the database of the results store, and its points are Optuna's trials. What a point
trains are ordinary trials of the store, run as those of any study: equal points are trained once, and a search shares
the workers, leases and checkpoints of ``bench run``.

One process at a time gives the same points every time, also if it is stopped and goes on. With several, the points
depend on the order in which earlier ones end, as is usual with Optuna.
"""
