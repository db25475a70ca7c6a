"""Resampling of images and fields of random numbers, for several effects."""

from typing import Any

from experiments.models import IMAGE_SHAPE

SIDE = IMAGE_SHAPE[0]


def per_image(numbers: Any) -> Any:
    """Reshape (b,) to (b, 1, 1, 1), so that each number meets all pixels of its image."""
    return numbers[:, None, None, None]


def above(numbers: Any, threshold: float) -> Any:
    """Return how far numbers in [-1, 1) are above a threshold, as a share of the way to 1: 0 for those below it."""
    from keras import ops

    return ops.maximum(numbers - threshold, 0.0) / (1.0 - threshold)


def smooth_field(numbers: Any, side: int, channels: int = 1) -> Any:
    """Interpolate a grid of numbers (b, side * side * channels) to smooth fields (b, 28, 28, channels)."""
    from keras import ops

    grid = ops.reshape(numbers, (-1, side, side, channels))
    return ops.image.resize(grid, (SIDE, SIDE), interpolation="bilinear", data_format="channels_last")


def coordinates() -> tuple[Any, Any]:
    """Return row and column of each pixel from the center, float32 (1, 28, 28, 1)."""
    from keras import ops

    axis = ops.arange(SIDE, dtype="float32") - (SIDE - 1) / 2
    return axis[None, :, None, None], axis[None, None, :, None]


def sample(images: Any, rows: Any, columns: Any) -> Any:
    """Sample images bilinearly at coordinates from the center (b, 28, 28, 1); outside the picture is paper, 0."""
    from keras import ops

    y, x = rows + (SIDE - 1) / 2, columns + (SIDE - 1) / 2
    top, left = ops.floor(y), ops.floor(x)
    down, right = y - top, x - left
    flat = ops.reshape(images, (-1, SIDE * SIDE))
    result = 0.0
    for i, weight_y in ((0, 1.0 - down), (1, down)):
        for j, weight_x in ((0, 1.0 - right), (1, right)):
            row, column = top + i, left + j
            inside = ops.cast((row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE), "float32")
            index = ops.clip(row, 0, SIDE - 1) * SIDE + ops.clip(column, 0, SIDE - 1)
            found = ops.take_along_axis(flat, ops.reshape(ops.cast(index, "int32"), (-1, SIDE * SIDE)), axis=1)
            result = result + weight_y * weight_x * inside * ops.reshape(found, (-1, SIDE, SIDE, 1))
    return result
