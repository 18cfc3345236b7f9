"""Fixtures for tests of the core."""

from pathlib import Path

import pytest

from mhpe.data import HeadPoseSet
from mhpe.datasets import prepared
from tests.fake_data import write_aflw2000


def prepared_heads(root: Path, count: int, size: int) -> HeadPoseSet:
    """A made-up AFLW2000-3D, prepared under a folder of its own."""
    write_aflw2000(root, count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MHPE_CACHE", str(root / "cache"))
        return prepared("aflw2000", size, root)


@pytest.fixture(scope="session")
def heads(tmp_path_factory: pytest.TempPathFactory) -> HeadPoseSet:
    """128 heads of 32 x 32 pixels."""
    return prepared_heads(tmp_path_factory.mktemp("heads"), 128, 32)
