"""Plain data as archives of NumPy arrays, which `numpy.load` opens."""

import io
import json
import zipfile
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

import numpy as np

from experiments.errors import DigitsError

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")
Arrays = dict[str, "np.ndarray[Any, Any]"]

DATA = "data"  # member of the archive; the others are arrays
ARRAY = "array"

# What NumPy, zipfile, zlib, JSON and cattrs raise for bytes that are not what they expect.
DAMAGED = (
    ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, RuntimeError,
    zipfile.BadZipFile, zlib.error, ExceptionGroup,
)  # fmt: skip


def write_npz(value: Any) -> bytes:
    """Write plain data as an archive of NumPy arrays; the same data give the same bytes.

    Parameters
    ----------
    value
        Numbers, texts, arrays, and sequences, mappings with texts as keys, and dataclasses of these. ``data`` in the
        archive is JSON, which names the other arrays where they belong.
    """
    arrays: Arrays = {}
    data = np.array(json.dumps(_converter(arrays).unstructure(value)))
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **{DATA: data}, **arrays)
    return content.getvalue()


def read_npz(content: bytes, restore: "Callable[[Any, cattrs.Converter], T]") -> T:
    """Read plain data.

    Parameters
    ----------
    content
        As from `write_npz`.
    restore
        Called with the JSON value and a converter that structures it as a type.

    Raises
    ------
    DigitsError
        If it is damaged, or another version of this project wrote it.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays: Arrays = dict(archive)
        return restore(json.loads(str(arrays.pop(DATA))), _converter(arrays))
    except DAMAGED as error:
        raise DigitsError("the data of a figure are damaged, or of another version") from error


def _converter(arrays: Arrays) -> "cattrs.Converter":
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
