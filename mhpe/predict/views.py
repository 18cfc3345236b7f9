"""The answer for a face, and the error to expect of it, from four views of the face.

A network's answer for the mirrored face, and for a slightly wider crop of it, should be the mirror image of its answer,
or the same. The mean of the four is better than the first, and where they differ it is uncertain: on photographs their
spread ranks errors about as well as the matrix Fisher concentration does, and plain heads have it as well
(``docs/data.md``; ``python -m tools.expected_error`` measures it).
"""

import torch
import torchvision.transforms.functional as TF
from torch import Tensor

from mhpe.model.network import Network, Prediction
from mhpe.model.scme import project
from mhpe.rotations import geodesic_degrees, mirror

MARGIN = 1 / 16  # of the wider crop on every side, as a share of the image's; the image's edge repeated
AT_REST, SLOPE = 1.07, 1.72
"""Expected error at a spread of 0, in degrees, and its growth with the spread.

Least squares for the package's network over 3,000 rendered heads of SynthHeads, seed 2000, half of them lab and half
wild: persons that it was not trained on. ``python -m tools.expected_error`` finds them again.
"""


def answer(network: Network, images: Tensor) -> tuple[Prediction, Tensor]:
    """The mean answer of the four views, and their spread: the mean angle in degrees, (N,), between them and the mean.

    ``images`` (N, 3, S, S) are bytes. The concentration is that of the image as it is.
    """
    size = images.shape[-1]
    margin = round(MARGIN * size)
    wider = TF.resize(TF.pad(images, margin, padding_mode="edge"), [size, size], antialias=True)
    plain, wide = network.predict(images), network.predict(wider)
    mirrored = [mirror(network.predict(view.flip(-1)).rotations) for view in (images, wider)]
    views = torch.stack([plain.rotations, wide.rotations, *mirrored])
    mean = project(views.sum(0))
    return Prediction(mean, plain.strengths), geodesic_degrees(views, mean).mean(0)


def expected_error(spread: Tensor) -> Tensor:
    """Mean geodesic error, in degrees, that faces with the spread of :func:`answer` have among rendered heads."""
    return AT_REST + SLOPE * spread
