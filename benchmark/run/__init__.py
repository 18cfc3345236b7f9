"""Training what a study needs: tasks, worker processes, Dask, the runner and its leases."""
