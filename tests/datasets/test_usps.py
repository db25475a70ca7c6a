"""Both published forms of USPS are read, and malformed lines named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from experiments.datasets.content import Content, read_content
from experiments.datasets.dataset import RawSplit
from experiments.datasets.published.usps import TEST_COUNTS, USPS, parse_libsvm, parse_zip
from experiments.errors import DigitsError

# As published: three decimals.
PIXELS = arrays(np.int64, st.tuples(st.integers(1, 3), st.just(256)), elements=st.integers(-1000, 1000))


def content(text: str) -> Content:
    return Content(Path("usps"), text.encode())


def zip_line(label: str = "6.0000", values: int = 256, value: str = "-1.0000") -> str:
    return " ".join([label, *[value] * values]) + " \n"


@settings(max_examples=20)
@given(thousandths=PIXELS, formatted=st.sampled_from(["{:.4f}", "{:g}"]))
def test_zip_round_trip(thousandths: NDArray[np.int64], formatted: str) -> None:
    labels = np.arange(len(thousandths)) * 4 % 10
    rows = np.column_stack([labels, thousandths / 1000])
    raw = parse_zip(content("\n".join(" ".join(formatted.format(value) for value in row) for row in rows)))
    np.testing.assert_array_equal(raw.images, np.rint((thousandths / 1000 + 1) * 127.5).reshape(-1, 16, 16))
    np.testing.assert_array_equal(raw.labels, labels)
    assert raw.images.dtype == np.uint8
    assert raw.labels.dtype == np.int64


@settings(max_examples=20)
@given(thousandths=PIXELS)
def test_libsvm_agrees_with_scikit_learn(
    thousandths: NDArray[np.int64], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from sklearn.datasets import dump_svmlight_file, load_svmlight_file

    path = tmp_path_factory.mktemp("libsvm") / "usps"
    dump_svmlight_file(thousandths / 1000, np.arange(len(thousandths)) + 1, str(path), zero_based=False)
    values, labels = load_svmlight_file(str(path), n_features=256)
    raw = parse_libsvm(read_content(path))
    np.testing.assert_array_equal(raw.images, np.rint((values.toarray() + 1) * 127.5).reshape(-1, 16, 16))
    np.testing.assert_array_equal(raw.labels, labels - 1)


def test_a_value_that_libsvm_leaves_out_is_zero_which_is_mid_grey() -> None:
    raw = parse_libsvm(content("10 1:-1 256:1.000000 \n1\n"))
    np.testing.assert_array_equal(raw.labels, [9, 0])
    np.testing.assert_array_equal(raw.images[0].ravel(), [0, *[128] * 254, 255])
    np.testing.assert_array_equal(raw.images[1], 128)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (zip_line(values=255), "256 numbers"),
        (zip_line(values=257), "258 numbers"),
        (zip_line(label="10"), "0 to 9, received 10"),
        (zip_line(label="0.5"), "0 to 9, received 0.5"),
        (zip_line(label="nan"), "0 to 9, received nan"),
        (zip_line(value="1.5"), r"\[-1, 1\], received 1.5"),
        (zip_line(value="nan"), r"\[-1, 1\], received nan"),
        (zip_line(value="1,5"), "1,5"),
        ("\n", "blank line"),
    ],
)
def test_a_malformed_zip_line_is_named(line: str, problem: str) -> None:
    with pytest.raises(DigitsError, match=f"^usps, line 3: .*{problem}"):
        parse_zip(content(zip_line() * 2 + line + zip_line()))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("0 1:0.5", "1 to 10, received 0"),
        ("11 1:0.5", "1 to 10, received 11"),
        ("7 0:0.5", "1 to 256"),
        ("7 257:0.5", "1 to 256"),
        ("7 2:0.5 2:0.5", "index once"),
        ("7 1.5:0.5", "index once"),
        ("7 a:0.5", "index once"),
        ("7 0.5", "index:value"),
        ("7 1:1.1", r"\[-1, 1\], received 1.1"),
        ("7 1:nan", r"\[-1, 1\], received nan"),
        ("7 1:0.5:2", "0.5:2"),
        ("7 1:", "''"),
        ("", "blank line"),
    ],
)
def test_a_malformed_libsvm_line_is_named(line: str, problem: str) -> None:
    with pytest.raises(DigitsError, match=f"^usps, line 2: .*{problem}"):
        parse_libsvm(content(f"7 1:-1\n{line}\n7 1:-1\n"))


@pytest.mark.parametrize("parse", [parse_zip, parse_libsvm])
def test_an_empty_file_is_refused(parse: Callable[[Content], RawSplit]) -> None:
    with pytest.raises(DigitsError, match=r"^usps is empty"):
        parse(content(""))


@pytest.mark.real_data
def test_zip_agrees_with_numpys_reader(data_dir: Path) -> None:
    path = data_dir / "usps" / "zip.test.gz"
    reference = np.loadtxt(path, max_rows=300)
    raw = parse_zip(read_content(path))
    np.testing.assert_array_equal(raw.labels[:300], reference[:, 0])
    error = np.abs(raw.images[:300].reshape(300, 256) / 127.5 - 1 - reference[:, 1:])
    assert error.max() <= 0.5 / 127.5 + 1e-12


def test_files_of_libsvm_are_known_by_their_counts_and_blurred() -> None:
    lines = [f"{digit + 1} 1:0.5\n" * count for digit, count in enumerate(TEST_COUNTS)]
    edition = USPS.editions[1]
    file, right = edition.files[1], content("".join(lines))
    file.check(right)
    with pytest.raises(DigitsError, match=r"^usps: .*359, 264, .* 160, 170, .*360, 264"):
        file.check(content("1\n" + "".join(lines)))
    assert (file.name, edition.transform) == ("usps.t.bz2", "smoothed")
    train, test = edition.parse((content("7 1:1"), right))
    assert (train.labels.tolist(), len(test.images)) == ([6], 2007)
