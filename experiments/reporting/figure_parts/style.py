"""Theme, colors and titles that all figures share."""

import re
import textwrap
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito's palette, which can be told apart with every kind of color blindness.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PALE_BLUE = "#7FB8DA"
INK, GRAY, PALE = "#262626", "#767676", "#E4E4E4"

# Of the networks, in the order of the registry: one hue per family, one lightness per member. The last five are for
# networks that are added.
NETWORK_COLORS = (
    PALE_BLUE, BLUE, RED, "#66C9AD", "#8FBC5A", INK, "#00573F", GREEN, "#7A3E65", "#CC79A7", "#F3C969", "#C98600",
    "#B9A7E0", "#7B5FC7", "#45308A",
    "#44AA99", "#AA4499", "#DDCC77", "#117733", "#B03A2E",
)  # fmt: skip
OTHER_COLORS = ("#56B4E9", "#949494", "#CA9161", "#882255", "#999933", "#332288")

# Of digits and clusters, here and in the explorer. Okabe & Ito's first, then four chosen so that the nearest pair of
# the ten is at least 13 CIELAB units apart under full protanopia, deuteranopia and tritanopia (Machado et al. 2009).
GROUP_COLORS = (BLUE, ORANGE, GREEN, RED, "#56B4E9", "#CC79A7", "#882255", "#E5CF2E", "#332288", INK)
SHADES = (0, 0.5, -0.45)  # of each color beyond ten groups: as it is, lighter, darker

MARGIN = 0.08  # inches, around everything in a figure
TITLE_SIZE = 13
TITLE_CHARACTERS_PER_INCH = 8.5

_THEME = MappingProxyType(
    {
        "figure.dpi": 120,
        "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures look the same everywhere
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": GRAY,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": PALE,
        "grid.linewidth": 0.8,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.titlesize": 10,
        "axes.labelsize": 10,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.fontsize": 9,
        "legend.edgecolor": "none",
    }
)


TEXTS: Any = {"text.hinting": "none"}
"""Settings of matplotlib under which texts are laid out and drawn, a tenth faster than by default."""


def network_color(name: str) -> str:
    """Return the color of a network in every figure, as ``#RRGGBB``.

    Parameters
    ----------
    name
        Name of a registered network, or a text that contains one (``mnist-lenet``, ``mlp (tuned)``,
        ``models:/mnist-lenet@champion``): its color follows from its place in the registry. Any other text has a
        color of its own as well, which it may share with others.
    """
    from experiments.models import MODELS

    places = {network: place for place, network in enumerate(MODELS)}
    known = [places[word] for word in re.findall(r"\w+", name) if word in places]
    if known:
        return NETWORK_COLORS[known[-1] % len(NETWORK_COLORS)]
    return OTHER_COLORS[zlib.crc32(name.encode()) % len(OTHER_COLORS)]


def group_color(group: int) -> str:
    """Return the color of a digit or cluster, counted from 0, in every map, as ``#RRGGBB``."""
    shade = SHADES[group // len(GROUP_COLORS) % len(SHADES)]
    end = 255 if shade > 0 else 0
    channels = bytes.fromhex(GROUP_COLORS[group % len(GROUP_COLORS)][1:])
    return "#" + "".join(f"{round(channel + (end - channel) * abs(shade)):02X}" for channel in channels)


@contextmanager
def themed_figure(title: str, width: float, height: float) -> Iterator["Figure"]:
    """Yield an empty figure with the theme, and lay it out at the end of the block, once: it can be saved as it is.

    Matplotlib's settings are restored afterwards. The figure is not registered with pyplot, so it is freed with its
    last reference.

    Parameters
    ----------
    title
        Placed above the figure, left-aligned and wrapped to its width; may be empty.
    width, height
        Size in inches.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with matplotlib.rc_context(_theme()):
        layout = ConstrainedLayoutEngine(w_pad=MARGIN, h_pad=MARGIN)
        figure = Figure(figsize=(width, height), layout=layout)
        if title:
            wrapped = textwrap.fill(title, int(width * TITLE_CHARACTERS_PER_INCH))
            figure.suptitle(wrapped, x=MARGIN / width, ha="left", fontsize=TITLE_SIZE, fontweight="bold")
        yield figure
        # Ticks take their style when they are first laid out, so do it within the theme.
        layout.execute(figure)
    figure.set_layout_engine("none")  # saving would lay it out again, which takes longer than drawing


def footnote(figure: "Figure", text: str) -> None:
    """Write an explanation below a figure."""
    figure.supxlabel(text, x=MARGIN / figure.get_figwidth(), ha="left", fontsize=9, color=GRAY)


def notice(figure: "Figure", text: str) -> None:
    """Write in the middle of an otherwise empty figure why it is empty."""
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=12, color=GRAY)


def _theme() -> Any:
    import seaborn

    return {**seaborn.plotting_context("notebook"), **seaborn.axes_style("whitegrid"), **_THEME, **TEXTS}
