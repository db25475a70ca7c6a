"""Figures as data: stages record it, and reports draw it, again and again, without repeating a stage."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, get_origin, get_type_hints

import numpy as np

from experiments.errors import DigitsError

if TYPE_CHECKING:
    import cattrs
    from matplotlib.figure import Figure

P = ParamSpec("P")
FIGURE, DATA = "figure", "data"  # members of the archive; the others are arrays
ARRAY = "array"


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure that is not drawn yet.

    Attributes
    ----------
    figure
        Its name in `experiments.reporting.figures.FIGURES`.
    data
        The arguments of its function by name: numbers, texts, arrays, and sequences, mappings with texts as keys, and
        dataclasses of these.
    """

    figure: str
    data: Mapping[str, Any]

    @classmethod
    def of(cls, figure: "Callable[P, Figure]", *args: P.args, **kwargs: P.kwargs) -> "Drawing":
        """Describe the call of a registered figure's function, with the same arguments."""
        return cls(figure.__name__, signature(figure).bind(*args, **kwargs).arguments)

    def draw(self) -> "Figure":
        """Draw the figure."""
        return _function(self.figure)(**self.data)

    def to_npz(self) -> bytes:
        """Write the drawing as an archive of NumPy arrays, which `numpy.load` opens; the same data give the same bytes.

        ``figure`` and ``data`` are JSON; ``data`` names the other arrays where they belong.
        """
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        data = _converter(arrays).unstructure(dict(self.data))
        texts = {FIGURE: np.array(json.dumps(self.figure)), DATA: np.array(json.dumps(data))}
        content = io.BytesIO()
        np.savez_compressed(content, **texts, **arrays)
        return content.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> "Drawing":
        """Read a drawing.

        Raises
        ------
        DigitsError
            If it is damaged, or another version of this project wrote it.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = dict(archive)
            figure, data = (json.loads(str(arrays.pop(name))) for name in (FIGURE, DATA))
            hints = get_type_hints(_function(figure))
            converter = _converter(arrays)
            return cls(figure, {name: converter.structure(value, hints[name]) for name, value in data.items()})
        except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile, ExceptionGroup) as error:
            raise DigitsError("the data of a figure are damaged, or of another version") from error


def _function(figure: str) -> "Callable[..., Figure]":
    from experiments.reporting.figures import FIGURES

    return FIGURES[figure]


def _converter(arrays: "dict[str, np.ndarray[Any, Any]]") -> "cattrs.Converter":
    """Return a converter between data and JSON values; arrays are kept aside in a dictionary."""
    from cattrs.preconf.json import make_converter

    def put_aside(array: "np.ndarray[Any, Any]") -> dict[str, str]:
        name = f"array-{len(arrays)}"
        arrays[name] = array
        return {ARRAY: name}

    converter = make_converter()
    converter.register_unstructure_hook(np.generic, lambda number: number.item())
    converter.register_unstructure_hook_func(_is_array, put_aside)
    converter.register_structure_hook_func(_is_array, lambda value, _: arrays[value[ARRAY]])
    return converter


def _is_array(kind: Any) -> bool:
    return kind is np.ndarray or get_origin(kind) is np.ndarray
