"""Protocols: a training set and a test set."""

from dataclasses import dataclass

from mhpe.errors import InputError
from mhpe.names import PARTS, SETS, split_name, title
from mhpe.validation import nearest


@dataclass(frozen=True)
class Protocol:
    """What is trained on and what is tested on."""

    name: str  # the name studies and the command line use
    train: str  # name of the training set
    test: str  # name of the test set
    title: str  # for tables and figures
    # label of the slides' protocol it is, or None: only then may its results stand beside the published numbers
    published: str | None = None

    @property
    def synthetic(self) -> tuple[bool, bool]:
        """Whether the training set and the test set are rendered."""
        train, test = (split_name(name)[0] in SETS for name in (self.train, self.test))
        return train, test


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("protocol_1", "300w_lp", "biwi", "300W-LP to BIWI", published="Protocol 1"),
        Protocol("protocol_2", "300w_lp", "aflw2000", "300W-LP to AFLW2000-3D", published="Protocol 2"),
        Protocol("synth_1", "synth_train", "synth_lab", "SynthHeads to SynthHeads lab"),
        Protocol("synth_2", "synth_train", "synth_wild", "SynthHeads to SynthHeads wild"),
        Protocol("synth_to_aflw2000", "synth_train", "aflw2000", "SynthHeads to AFLW2000-3D"),
        Protocol("synth_to_biwi", "synth_train", "biwi", "SynthHeads to BIWI"),
        Protocol("aflw2000_to_biwi", "aflw2000", "biwi", "AFLW2000-3D to BIWI"),
        Protocol("biwi_to_aflw2000", "biwi", "aflw2000", "BIWI to AFLW2000-3D"),
    )
}


def validation_protocol(train_set: str) -> Protocol:
    """Trained on one part of a training set, tested on the other: for choices that no test set may decide."""
    fit, validation = (f"{train_set}_{part}" for part in PARTS)
    return Protocol(validation, fit, validation, f"{title(train_set)}, fit part to validation part")


VALIDATION: dict[str, Protocol] = {
    protocol.name: protocol for protocol in map(validation_protocol, dict.fromkeys(p.train for p in PROTOCOLS.values()))
}


def described(name: str) -> Protocol | None:
    """The protocol of a name; None if this version has none of that name."""
    return PROTOCOLS.get(name) or VALIDATION.get(name)


def protocol(name: str) -> Protocol:
    """The protocol of a name; an InputError if there is none."""
    found = described(name)
    if found is None:
        raise InputError(f"no protocol {name!r}; {nearest(name, [*PROTOCOLS, *VALIDATION])}")
    return found
