"""The networks by the name of their head."""

from mhpe.config import CoreConfig
from mhpe.model.baselines import Bins, Euler, MatrixFisherHead, RotationLaplaceHead, SixD
from mhpe.model.mhpe import MHPE
from mhpe.model.network import Network

HEADS: dict[str, type[Network]] = {
    "mhpe": MHPE,
    "six_d": SixD,
    "euler": Euler,
    "bins": Bins,
    "matrix_fisher": MatrixFisherHead,
    "rotation_laplace": RotationLaplaceHead,
}


def build(config: CoreConfig, seed: int) -> Network:
    """A network with the configured head and initial weights."""
    return HEADS[config.head](config, seed)
