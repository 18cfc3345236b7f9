"""Protocols: a training set and a test set."""

from dataclasses import dataclass

from mhpe.errors import InputError
from mhpe.validation import nearest


@dataclass(frozen=True)
class Protocol:
    """What is trained on and what is tested on.

    Attributes:
        name: the name studies and the command line use.
        train: name of the training set.
        test: name of the test set.
        title: for tables and figures.
        published: label of the slides' protocol it is, or None: only then may its results stand beside the
            published numbers.
    """

    name: str
    train: str
    test: str
    title: str
    published: str | None = None


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("protocol_1", "300w_lp", "biwi", "300W-LP to BIWI", published="Protocol 1"),
        Protocol("protocol_2", "300w_lp", "aflw2000", "300W-LP to AFLW2000-3D", published="Protocol 2"),
        Protocol("aflw2000_to_biwi", "aflw2000", "biwi", "AFLW2000-3D to BIWI"),
        Protocol("biwi_to_aflw2000", "biwi", "aflw2000", "BIWI to AFLW2000-3D"),
    )
}


def protocol(name: str) -> Protocol:
    """The protocol of a name.

    Raises:
        InputError: if there is none.
    """
    if name not in PROTOCOLS:
        raise InputError(f"no protocol {name!r}; {nearest(name, list(PROTOCOLS))}")
    return PROTOCOLS[name]
