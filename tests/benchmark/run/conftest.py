"""Fixtures for runs in processes of their own."""

from pathlib import Path

import pytest

from mhpe.datasets import prepared
from tests.benchmark.run.place import Place
from tests.benchmark.zygote import Zygote


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory, data_root: Path) -> Path:
    """The prepared data sets, so that no run spends its time on them."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MHPE_CACHE", str(folder))
        for name in ("aflw2000", "biwi"):
            prepared(name, 16, data_root)
    return folder / "prepared"


@pytest.fixture
def place(tmp_path: Path, data_root: Path, prepared_data: Path, zygote: Zygote) -> Place:
    return Place(tmp_path / "place", data_root, prepared_data, zygote)
