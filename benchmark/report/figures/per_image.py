"""What the figures made from single images share."""

from benchmark.report.figures.drawing import LackingError
from benchmark.report.images import Images
from benchmark.report.material import Material


def images_of(material: Material) -> dict[str, Images]:
    """Errors image by image of each protocol that has them.

    Raises:
        LackingError: if none has.
    """
    found = {protocol: images for protocol in material.protocols if (images := material.images(protocol))}
    if not found:
        raise LackingError("the store holds no predictions of these trials")
    return found
