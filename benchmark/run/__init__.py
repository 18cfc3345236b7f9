"""Training what a study needs: tasks, worker processes, Dask, the runner and its leases."""

MOST_JOBS = 1024  # processes of a run: each holds PyTorch, a third of a gigabyte
