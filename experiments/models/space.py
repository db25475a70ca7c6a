"""Search spaces: ranges of hyperparameters, as data for any search engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from experiments.errors import UsageError

Value = int | float
GRID_POINTS = 4  # maximum number of values of one range in a grid


@dataclass(frozen=True)
class Integers:
    """Integers `low`, `low` + `step`, ... up to `high`, which must be one of them."""

    low: int
    high: int
    step: int = 1

    def __post_init__(self) -> None:
        if not (self.step > 0 and self.low <= self.high and (self.high - self.low) % self.step == 0):
            raise ValueError(f"low and high must be a whole number of steps apart. Received: {self}")

    def __contains__(self, value: Value) -> bool:
        return self.low <= value <= self.high and (value - self.low) % self.step == 0

    def grid(self) -> tuple[Value, ...]:
        """Return at most `GRID_POINTS` evenly spaced numbers, both ends included."""
        steps = (self.high - self.low) // self.step
        points = min(GRID_POINTS, steps + 1)
        return tuple(self.low + round(i * steps / max(points - 1, 1)) * self.step for i in range(points))


@dataclass(frozen=True)
class Floats:
    """Real numbers from `low` to `high`, optionally in steps or on a logarithmic scale."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        if not -inf < self.low < self.high < inf or (self.log and (self.low <= 0 or self.step)):
            raise ValueError(f"low must be below high, and a logarithmic range positive. Received: {self}")
        if self.step is not None and not (self.step > 0 and self.high in self):
            raise ValueError(f"low and high must be a whole number of steps apart. Received: {self}")

    def __contains__(self, value: Value) -> bool:
        steps = (value - self.low) / self.step if self.step else 0
        return self.low <= value <= self.high and abs(steps - round(steps)) < 1e-9

    def grid(self) -> tuple[Value, ...]:
        """Return at most `GRID_POINTS` numbers, evenly spaced on their scale, both ends included."""
        if self.step:
            points = self.steps()
            count = min(GRID_POINTS, len(points))
            return tuple(points[round(i * (len(points) - 1) / (count - 1))] for i in range(count))
        fractions = [i / (GRID_POINTS - 1) for i in range(1, GRID_POINTS - 1)]
        if self.log:
            between = [float(f"{self.low * (self.high / self.low) ** fraction:.6g}") for fraction in fractions]
        else:
            between = [self.low + (self.high - self.low) * fraction for fraction in fractions]
        return (self.low, *between, self.high)

    def steps(self) -> tuple[float, ...]:
        """Return all numbers of a range with a step."""
        count = round((self.high - self.low) / (self.step or 1))
        return tuple(float(f"{self.low + (self.step or 1) * i:.12g}") for i in range(count + 1))


@dataclass(frozen=True)
class Choices:
    """A set of values."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) < len(self.values):
            raise ValueError(f"name each value once. Received: {self}")

    def __contains__(self, value: Value) -> bool:
        return value in self.values

    def grid(self) -> tuple[Value, ...]:
        """Return the values."""
        return self.values


Range = Integers | Floats | Choices
Space = Mapping[str, Range]
"""Ranges by name of a recipe's setting or of a size of the network."""

LEARNING_RATE = Floats(1e-4, 1e-2, log=True)
DROPOUT = Floats(0.0, 0.5, step=0.1)
BATCH_SIZE = Choices((64, 128, 256))
WEIGHT_DECAY = Floats(1e-6, 1e-2, log=True)
AUGMENTATION = Floats(0.0, 1.5, step=0.25)


def narrow(space: Space, fixed: Mapping[str, object], model: str) -> Space:
    """Return the search space without the settings that are `fixed`.

    Raises
    ------
    UsageError
        If nothing is left to search.
    """
    left = {name: values for name, values in space.items() if name not in fixed}
    if not left:
        raise UsageError(f"every setting that {model} is searched over is fixed: leave one of {', '.join(space)} free")
    return left
