"""Figures as data: stages record it, and reports draw it, again and again, without repeating a stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import get_annotations, getdoc, signature
from typing import TYPE_CHECKING, Any, ParamSpec

from experiments.reporting.archive import read_npz, write_npz

if TYPE_CHECKING:
    import cattrs
    from matplotlib.figure import Figure

P = ParamSpec("P")


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

    @property
    def description(self) -> str:
        """The kind of figure and how to read it in one sentence, for readers who cannot see it."""
        first_line = (getdoc(_function(self.figure)) or "").partition("\n")[0]
        text = first_line.removeprefix("Draw ")
        return text[:1].upper() + text[1:]

    def draw(self) -> "Figure":
        """Draw the figure."""
        return _function(self.figure)(**self.data)

    def to_npz(self) -> bytes:
        """Write the drawing as an archive of NumPy arrays, as `write_npz` does."""
        return write_npz({"figure": self.figure, "data": dict(self.data)})

    @classmethod
    def from_npz(cls, content: bytes) -> "Drawing":
        """Read a drawing.

        Raises
        ------
        DigitsError
            If it is damaged, or another version of this project wrote it.
        """
        return read_npz(content, _restore)


def _restore(value: Any, converter: "cattrs.Converter") -> Drawing:
    """Restore the arguments of a figure's function by its type hints; they must be those that it takes."""
    function = _function(value["figure"])
    kinds = get_annotations(function)
    data = {name: converter.structure(argument, kinds[name]) for name, argument in value["data"].items()}
    signature(function).bind(**data)
    return Drawing(value["figure"], data)


def _function(figure: str) -> "Callable[..., Figure]":
    from experiments.reporting.figures import FIGURES

    return FIGURES[figure]
