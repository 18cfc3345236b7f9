"""The training of a network: loop, references, augmentation, checkpoints and metrics."""
