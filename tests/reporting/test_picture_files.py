"""Image files of figures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.reporting.picture_files import picture_size, save_preview


@pytest.mark.parametrize(("size", "expected"), [((1280, 800), (640, 400)), ((400, 1300), (400, 1300))])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_preview_is_the_picture_at_most_as_wide_as_a_column(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int], mode: str
) -> None:
    ramp = np.linspace(0, 255, size[0]).astype(np.uint8)
    full = Image.fromarray(np.stack([np.tile(ramp, (size[1], 1))] * 3, axis=2))
    full.convert(mode).save(tmp_path / "full.png")
    for name in ("one.webp", "two.webp"):
        save_preview(tmp_path / "full.png", tmp_path / name)
    assert (tmp_path / "one.webp").read_bytes() == (tmp_path / "two.webp").read_bytes()
    assert picture_size(tmp_path / "one.webp") == expected
    with Image.open(tmp_path / "one.webp") as preview:
        assert preview.format == "WEBP"
        found = np.asarray(preview.convert("L"), int).mean(axis=0)
    np.testing.assert_allclose(found, np.linspace(0, 255, expected[0]), atol=8)
