"""Searches of sampler parameters with Optuna, in its own tables in the database of the results store.

What a point trains are ordinary trials of the store, run as those of any study. One process at a time gives the same
points every time, also if it is stopped and goes on. With several, the points depend on the order in which earlier ones
end, as is usual with Optuna.
"""
