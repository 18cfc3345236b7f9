"""Torchvision networks in the encoder's place ("MHPE-PB"; the slides do not define it)."""

from pathlib import Path

import torch
from torch import nn

from mhpe.errors import InputError
from mhpe.validation import nearest, short


def backbone(name: str, weights: str | None) -> tuple[nn.Module, int]:
    """The convolutional part of a torchvision classification network.

    Args:
        name: of a network whose convolutions form ``features`` (MobileNet, EfficientNet, DenseNet, VGG, ...) or
            ``conv1`` to ``layer4`` (ResNet, ...).
        weights: file with a state dictionary of the whole network, or None for random weights.

    Returns:
        A module from (B, 3, S, S) to (B, C, S', S'), and C.

    Raises:
        InputError: for an unknown or unsuitable network, or a weights file that does not fit.
    """
    import torchvision  # loads torch._dynamo: seconds

    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise InputError(f"encoder.backbone: no torchvision network {name!r}; {nearest(name, known)}")
    network = torchvision.models.get_model(name, weights=None)
    if weights is not None:
        _load(network, Path(weights))
    if hasattr(network, "features"):
        body = network.features
    elif hasattr(network, "layer4"):
        body = nn.Sequential(*list(network.children())[:-2])
    else:
        raise InputError(f"encoder.backbone: {name} has no separate convolutional part; resnet18 has, for example")
    body.eval()
    with torch.no_grad():
        channels = body(torch.zeros(1, 3, 64, 64)).shape[1]
    return body, channels


def _load(network: nn.Module, path: Path) -> None:
    if not path.is_file():
        raise InputError(f"encoder.backbone_weights: no file {path}")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged or foreign file
        raise InputError(f"encoder.backbone_weights: {path} does not fit: no file of PyTorch weights") from error
    try:
        network.load_state_dict(weights)
    except Exception as error:
        reason = (str(error).splitlines()[1:2] or [str(error)])[0].strip()
        raise InputError(f"encoder.backbone_weights: {path} does not fit: {short(reason)}") from error
