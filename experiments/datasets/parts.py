"""What a folder of the user's own digits holds."""

from dataclasses import dataclass

from experiments.datasets.dataset import Split


@dataclass(frozen=True)
class Parts:
    """Training digits, test digits if there is an own part for them, and the transform that was applied."""

    train: Split
    test: Split | None
    transform: str
