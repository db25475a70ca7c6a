"""The peer in PyTorch: the training loop of its MNIST example, with the network of `cnn`."""

from time import perf_counter

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from experiments.datasets import Split


def plain_cnn() -> nn.Module:
    """Return the network of `cnn`."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1600, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def parameters(network: nn.Module) -> int:
    """Return the number of weights."""
    return sum(weight.numel() for weight in network.parameters())


def train(network: nn.Module, split: Split, *, batch_size: int, epochs: int, bfloat16: bool) -> list[float]:
    """Train a network on tensors in memory, under autocast if `bfloat16`; return the seconds of each epoch."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = torch.from_numpy(split.as_float()).permute(0, 3, 1, 2).contiguous()
    loader = DataLoader(TensorDataset(images, torch.tensor(split.labels)), batch_size=batch_size, shuffle=True)
    network.to(device)
    optimizer = torch.optim.Adam(network.parameters())
    return [_epoch(network, optimizer, loader, device, bfloat16) for _ in range(epochs)]


def _epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, loader: DataLoader, device: str, bfloat16: bool
) -> float:
    start = perf_counter()
    network.train()
    for images, labels in loader:
        data, target = images.to(device), labels.to(device)
        optimizer.zero_grad()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=bfloat16):
            loss = nn.functional.cross_entropy(network(data), target)
        loss.backward()
        optimizer.step()
    loss.item()  # waits for a GPU to finish
    return perf_counter() - start
