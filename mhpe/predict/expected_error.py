"""The error to expect of a prediction, from how far it moves with the crop.

A network's answer for the mirrored face, and for crops of it that are a tenth smaller (the middle and the four
corners), should be the mirror image of its answer. Where it is not, the answer is uncertain. The mean angle between
them ranks errors better than the matrix Fisher concentration does, on photographs above all, and plain heads have it
as well (``docs/data.md``; ``python -m tools.expected_error`` measures it).
"""

import torch
import torchvision.transforms.functional as TF
from torch import Tensor

from mhpe.model.network import Network
from mhpe.rotations import geodesic_degrees, mirror

CROPPED_SIDE = 0.9  # side of the smaller crops, as a share of the image's
AT_REST, SLOPE = 1.70, 0.73
"""Expected error at a spread of 0, in degrees, and its growth with the spread.

Least squares for the package's network over 3,000 rendered heads of SynthHeads, seed 2000, half of them lab and half
wild: persons that it was not trained on. ``python -m tools.expected_error`` finds them again.
"""


def spread(network: Network, images: Tensor, rotations: Tensor) -> Tensor:
    """Mean angle in degrees, (N,), between predictions and those for the mirrored face and for smaller crops of it.

    ``images`` (N, 3, S, S) are bytes, ``rotations`` (N, 3, 3) what the network predicts for them.
    """
    size, mirrored = images.shape[-1], images.flip(-1)
    smaller = TF.five_crop(mirrored, round(CROPPED_SIDE * size))
    views = [mirrored, *(TF.resize(crop, [size, size], antialias=True) for crop in smaller)]
    answers = torch.stack([network.predict(view).rotations for view in views])
    return geodesic_degrees(mirror(answers), rotations).mean(0)


def expected_error(spread: Tensor) -> Tensor:
    """Mean geodesic error, in degrees, that faces with a :func:`spread` have among rendered heads."""
    return AT_REST + SLOPE * spread
