"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest
import torch

from mhpe.poses import Poses
from mhpe.rotations import from_euler
from tests.fake_data import random_angles, write_aflw2000, write_biwi


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's cache, data or store."""
    monkeypatch.setenv("MHPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MHPE_DATA", raising=False)
    monkeypatch.delenv("BENCH_STORE", raising=False)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Random inputs that name no generator are the same in every run, whatever tests ran before."""
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The data root with real images that MHPE_TEST_DATA names."""
    root = os.environ.get("MHPE_TEST_DATA")
    if not root:
        pytest.skip("set MHPE_TEST_DATA to a data root with real images to run this test")
    return Path(root).absolute()


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up AFLW2000-3D (48 images) and BIWI (3 sequences of 8 frames)."""
    root = tmp_path_factory.mktemp("data")
    write_aflw2000(root, 48)
    write_biwi(root, 8)
    return root


def make_poses(count: int, seed: int = 0) -> Poses:
    """Poses distributed like photographs', two images an identity."""
    angles = torch.as_tensor(random_angles(count, seed), dtype=torch.float32)
    index = torch.arange(count)
    return Poses(from_euler(angles), angles, index // 2, index)


@pytest.fixture
def poses() -> Poses:
    """Poses of 500 images."""
    return make_poses(500)
