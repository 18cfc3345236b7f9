"""A trained network as an ONNX graph: bytes of images in, rotations and angles out."""

import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from mhpe.errors import InputError
from mhpe.model.encoder import normalise
from mhpe.model.network import Network
from mhpe.rotations import to_euler

OUTPUTS = ("rotations", "angles", "strengths")


class _Graph(nn.Module):
    """The graph: :meth:`mhpe.model.network.Network.predict` for one batch, and the angles."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rotations, strengths = self.network.answer(self.network.encoder(normalise(images)))
        return rotations, to_euler(rotations), strengths


def export_onnx(network: Network, path: Path) -> None:
    """Write a network, which is on the CPU, as an ONNX graph.

    The graph's input is ``images``, (N, 3, S, S) uint8 RGB crops with S the configured image size; its outputs are
    ``rotations`` (N, 3, 3), ``angles`` (N, 3) yaw, pitch, roll in degrees, and ``strengths`` (N, 3), all float32.

    Raises:
        InputError: if the packages of the extra "onnx" are missing or the file cannot be written.
    """
    try:
        import onnxscript  # noqa: F401, PyTorch's exporter needs it
    except ImportError:
        raise InputError("ONNX needs further packages; pip install 'mhpe-bench[onnx]' installs them") from None
    size = network.config.image_size
    example = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    logging.getLogger("onnxscript").setLevel(logging.WARNING)
    with warnings.catch_warnings(action="ignore"), torch.no_grad():
        program = torch.onnx.export(
            _Graph(network).eval(),
            (example,),
            dynamo=True,
            verbose=False,
            input_names=["images"],
            output_names=list(OUTPUTS),
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        )
    if program is None:
        raise RuntimeError("the exporter returned no program")
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # stack traces with this machine's paths, larger than a small network
    try:
        program.save(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
