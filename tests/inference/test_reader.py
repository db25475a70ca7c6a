"""`Reader`: digits, probabilities, scores and refusals, by networks whose answers are known."""

import io
from pathlib import Path

import numpy as np
import pytest
from known_networks import PIXELS, halves, linear_network, put_network
from numpy.typing import NDArray
from PIL import Image
from scipy.special import log_softmax, logsumexp, softmax

from experiments.errors import DigitsError, UsageError
from experiments.inference import Reader, Settings
from experiments.inference import reader as module
from experiments.inference.reader import CERTAINTY, SCORE

RNG = np.random.default_rng(0)
WEIGHTS = [RNG.normal(0, 0.02, (PIXELS, 10)).astype(np.float32) for _ in range(2)]
VIEWS = [RNG.integers(0, 256, (count, 28, 28)).astype(np.uint8) for count in (1, 3, 2)]


def seven(gray: bool = False) -> NDArray[np.uint8]:
    """Draw a seven with a pen on paper."""
    picture = np.full((90, 70, 3), 235, np.uint8)
    picture[15:23, 15:55] = picture[15:75, 47:55] = (40, 30, 120)
    return picture[..., 0] if gray else picture


def png(pixels: NDArray[np.uint8]) -> bytes:
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "PNG")
    return stored.getvalue()


def logits(network: int, views: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the logits of each view, float64 (k, 10)."""
    each: NDArray[np.float64] = views.reshape(len(views), -1) / 255 @ WEIGHTS[network]
    return each


@pytest.mark.parametrize("networks", [(0,), (0, 1)])
@pytest.mark.parametrize("price", [0.0, 3.0])
def test_views_count_by_score_certainty_and_price_and_networks_are_averaged(
    networks: tuple[int, ...], price: float
) -> None:
    reader = Reader([linear_network(WEIGHTS[network], Settings(temperature=2.5)) for network in networks])
    prices = [price * np.arange(len(views), dtype=np.float64) for views in VIEWS]
    judged = reader.judge(VIEWS, prices) if price else reader.judge(VIEWS)
    for i, (views, dear) in enumerate(zip(VIEWS, prices, strict=True)):
        each = [logits(network, views) for network in networks]
        scores = np.mean([logsumexp(one, axis=1) for one in each], axis=0)
        certainty = np.log(np.mean([softmax(one, axis=1) for one in each], axis=0).max(axis=1))
        worth = SCORE * scores + CERTAINTY * certainty - dear
        calibrated = np.mean([softmax(one / 2.5, axis=1) for one in each], axis=0)
        np.testing.assert_allclose(judged.probabilities[i], softmax(worth) @ calibrated, atol=1e-5)
        np.testing.assert_allclose(judged.scores[i], scores[worth.argmax()], atol=1e-4)


def test_an_ensemble_is_one_network_for_rows() -> None:
    reader = Reader([linear_network(weights) for weights in WEIGHTS])
    each = [logits(network, VIEWS[0]) for network in (0, 1)]
    joint = reader.scores(VIEWS[0][..., None].astype(np.float32) / np.float32(255))
    mean = np.mean([softmax(one, axis=1) for one in each], axis=0)
    np.testing.assert_allclose(log_softmax(joint.logits, axis=1), np.log(mean), atol=1e-4)
    np.testing.assert_allclose(
        logsumexp(joint.logits, axis=1), np.mean([logsumexp(one, axis=1) for one in each], axis=0), atol=1e-4
    )


def test_a_picture_is_read_from_a_path_its_content_and_pixels(tmp_path: Path) -> None:
    file = tmp_path / "seven.png"
    file.write_bytes(png(seven()))
    reader = Reader(halves())
    readings = [reader.read(one) for one in (file, str(file), file.read_bytes(), seven())]
    assert {(one.digit, one.probability, one.score, one.box) for one in readings} == {
        (1, readings[0].probability, readings[0].score, readings[0].box)
    }
    assert readings[0].probability == readings[0].probabilities[1] > 0.5
    x, y, width, height = readings[0].box or (0, 0, 0, 0)
    np.testing.assert_allclose((x, y, x + width, y + height), (15, 15, 55, 75), atol=2)
    assert reader.read(seven(gray=True)).digit == reader.read(seven(gray=True)[..., None]).digit == 1


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_holds_no_digit(value: int) -> None:
    blank, other = Reader(halves()).read_many([np.full((40, 40), value, np.uint8), seven()])
    assert (blank.digit, blank.is_digit, blank.probability, blank.box) == (None, False, 0.0, None)
    assert blank.score < other.score
    assert other.digit == 1
    np.testing.assert_allclose(blank.probabilities.sum(), 1)


@pytest.mark.parametrize(("above", "is_digit"), [(-0.01, True), (0.01, False)])
def test_the_score_decides_whether_it_is_a_digit(above: float, is_digit: bool) -> None:
    score = Reader(halves()).read(seven()).score
    reading = Reader(halves(settings=Settings(min_score=score + above))).read(seven())
    assert (reading.is_digit, reading.digit) == (is_digit, 1)


def test_rows_are_read_with_boxes_in_pixels_of_the_file() -> None:
    page = np.full((120, 240, 3), 235, np.uint8)
    for left in (20, 130):
        page[20:100, left : left + 70] = seven()[5:85]
    (row,) = Reader(halves()).read_rows(page, 2)
    assert len(row.string) == len(row.digits) == 2
    assert [digit.box[0] for digit in row.digits] == pytest.approx([35, 145], abs=3)
    with pytest.raises(UsageError, match="at least 1, received 0"):
        Reader(halves()).read_rows(page, 0)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((3, 3)), np.zeros((0, 5), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros(9, np.uint8)],
    ids=lambda picture: f"{picture.dtype} {picture.shape}",
)
def test_other_arrays_are_refused(picture: NDArray[np.uint8]) -> None:
    with pytest.raises(UsageError, match="uint8"):
        Reader(halves()).read(picture)


def test_a_picture_over_the_limit_is_refused() -> None:
    with pytest.raises(DigitsError, match="megapixels"):
        Reader(halves(), max_megapixels=0.001).read(png(seven()))


@pytest.mark.parametrize(
    ("model", "error", "named"),
    [
        ([], UsageError, "at least one model"),
        ("lenet", UsageError, "neither 'reader' nor an .onnx file"),
        ("nowhere.onnx", DigitsError, "nowhere.onnx cannot be read"),
    ],
)
def test_a_model_that_there_is_not_is_named(model: str | list[str], error: type[DigitsError], named: str) -> None:
    with pytest.raises(error, match=named):
        Reader(model)


def test_reader_is_the_network_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUNDLED", tmp_path / "reader.onnx")
    with pytest.raises(DigitsError, match=r"reader\.onnx.* is missing"):
        Reader()
    put_network(tmp_path, name="reader.onnx")
    assert Reader().read(seven()).digit == 1
