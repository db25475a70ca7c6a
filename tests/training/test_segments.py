"""Segments of rows: whole digits keep their label, and wrong cuts are outsiders."""

import numpy as np
from printed_digits import printed_digits
from scipy.ndimage import gaussian_filter

from experiments.datasets import concatenate
from experiments.training.outsiders import OUTSIDE
from experiments.training.segments import row_segments

DIGITS = concatenate([printed_digits(48, width) for width in (0.8, 1.0)])


def test_whole_digits_look_like_those_that_they_are_and_wrong_cuts_do_not() -> None:
    segments = row_segments(DIGITS, 40, seed=0)
    assert (segments.labels == OUTSIDE).sum() == 40
    whole = segments.labels != OUTSIDE
    assert whole.sum() >= 10

    def nearest(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        soft = gaussian_filter(images.astype(float), (0, 2, 2)).reshape(len(images), -1)
        known = gaussian_filter(DIGITS.images.astype(float), (0, 2, 2)).reshape(len(DIGITS), -1)
        likeness = np.corrcoef(soft, known)[: len(soft), len(soft) :]
        return DIGITS.labels[likeness.argmax(axis=1)], likeness.max(axis=1)

    labels, likeness = nearest(segments.images[whole])
    assert (labels == segments.labels[whole]).mean() > 0.7
    assert np.median(likeness) > np.median(nearest(segments.images[~whole])[1])


def test_the_seed_decides() -> None:
    first, again, other = (row_segments(DIGITS, 10, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.images.tobytes() != other.images.tobytes()
