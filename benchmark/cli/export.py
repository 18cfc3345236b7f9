"""``bench export``: a trained network as one file."""

from pathlib import Path

import click

from benchmark.cli.networks import chosen_network, network_options
from benchmark.cli.terminal import say
from mhpe.errors import InputError
from mhpe.validation import nearest

FORMATS = [".safetensors", ".onnx"]


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@network_options
def export_verb(file: Path, trial: str | None, weights: Path | None, store: str) -> None:
    """Write a trained network to FILE: .safetensors for this program, .onnx for any other.

    Without --trial or --weights it is the network that comes with the package.

    The ONNX graph takes "images", (N, 3, S, S) bytes: RGB face crops, S = 64 pixels by default. It gives "rotations"
    (N, 3, 3), "angles" (N, 3) with yaw, pitch and roll in degrees, and "strengths" (N, 3), the concentration.
    It needs pip install "mhpe-bench[onnx]".

    \b
    bench export head.onnx
    bench export best.safetensors --trial 3f2a
    """
    from mhpe.model.saved import save_network
    from mhpe.predict.onnx import export_onnx

    if file.suffix not in FORMATS:
        raise InputError(f"{file}: the suffix names the format; {nearest(file.suffix, FORMATS)}")
    if not file.parent.is_dir():
        raise InputError(f"cannot write {file}: there is no folder {file.parent}")
    network, notes = chosen_network(trial, weights, store)
    if file.suffix == ".onnx":
        export_onnx(network, file)
    else:
        save_network(network, file, notes)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    size = network.config.image_size
    say(f"written: {file} ({parameters:,} weights, {size} x {size} pixels, {file.stat().st_size / 1e6:.2f} MB)")
