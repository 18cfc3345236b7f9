"""What things are called in tables, figures and sentences."""

from benchmark.study.protocols import described


def protocol_title(name: str) -> str:
    """A protocol's title; the slides' label before it where it is one of theirs."""
    protocol = described(name)
    if protocol is None:
        return name
    return f"{protocol.published} ({protocol.title})" if protocol.published else protocol.title


def synthetic_note(name: str) -> str:
    """Whether a protocol's images are synthetic: "synthetic images", "trained on synthetic images", ... or nothing."""
    protocol = described(name)
    if protocol is None:
        return ""
    train, test = protocol.synthetic
    if train and test:
        return "synthetic images"
    return "trained on synthetic images" if train else "tested on synthetic images" if test else ""


def counted(count: int, word: str) -> str:
    """A number and its word: "1 seed", "3 seeds"."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
