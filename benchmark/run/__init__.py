"""Training what a study needs: tasks, worker processes, Dask, the runner and its leases."""

import multiprocessing
import os
import threading

MOST_JOBS = 1024  # processes of a run: each holds PyTorch, a third of a gigabyte


def end_with_parent() -> None:
    """Let this process end when the one that started it ends, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def wait_and_end() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=wait_and_end, daemon=True).start()
