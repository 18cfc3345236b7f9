"""Reference samplers in a plain PyTorch training loop, with a data set of one's own.

    python examples/own_loop.py

A small network learns the yaw of striped images; each input is compared with K references, whose distance in feature
space should be their distance in yaw.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mhpe.poses import Poses
from samplers.gaussian import Gaussian
from samplers.loader import ReferenceBatchSampler

K, BATCH, EPOCHS = 4, 16, 5


class Stripes(Dataset[tuple[Tensor, Tensor]]):
    """Images (1, 16, 16) whose stripe moves with the yaw."""

    def __init__(self, count: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.angles = torch.zeros(count, 3)  # yaw, pitch, roll in degrees
        self.angles[:, 0] = 160 * torch.rand(count, generator=generator) - 80
        place = (self.angles[:, 0] + 80) / 10
        self.images = torch.exp(-((torch.arange(16) - place[:, None]) ** 2) / 4)[:, None, None].repeat(1, 1, 16, 1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.angles[index, 0] / 90


def main() -> list[float]:
    """Train, and return the mean loss of each epoch."""
    torch.manual_seed(0)
    data = Stripes(256)
    poses = Poses.from_angles(data.angles)
    batches = ReferenceBatchSampler(Gaussian(sigma=30), poses, K, BATCH, EPOCHS)
    loader = DataLoader(data, batch_sampler=batches)
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    history = []
    for epoch in range(EPOCHS):
        losses = []
        for images, yaw in loader:
            feature = network(images)[:, 0]
            inputs, references = feature[:BATCH], feature[BATCH:].unflatten(0, (BATCH, K))
            distance, target = inputs[:, None] - references, yaw[:BATCH, None] - yaw[BATCH:].unflatten(0, (BATCH, K))
            loss = (inputs - yaw[:BATCH]).square().mean() + (distance - target).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history.append(sum(losses) / len(losses))
        print(f"epoch {epoch}: loss {history[-1]:.3f}")
    return history


if __name__ == "__main__":
    main()
