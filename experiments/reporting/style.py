"""One look for every figure: theme, colours, size, title."""

import re
import textwrap
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito's colours, told apart under every kind of colour blindness.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PALE_BLUE = "#7FB8DA"
INK, GREY, PALE = "#262626", "#767676", "#E4E4E4"

# One hue a family, one lightness a member: so many hues could not all be told apart.
NETWORK_COLOURS = MappingProxyType(
    {
        "mlp_small": PALE_BLUE,
        "mlp": BLUE,
        "cnn": "#66C9AD",
        "cnn_norm": "#8FBC5A",
        "cnn_wide": GREEN,
        "cnn_deep": "#00573F",
        "lenet": RED,
        "alexnet": "#F3C969",
        "alexnet227": "#C98600",
        "vgg": "#CC79A7",
        "resnet": "#7A3E65",
        "fast": INK,
        "simple3": "#B9A7E0",
        "simple5": "#7B5FC7",
        "simple7": "#45308A",
    }
)
OTHER_COLOURS = ("#56B4E9", "#949494", "#CA9161", "#882255", "#999933", "#332288")

# Of digits and clusters, here and on the explorer's page. Okabe & Ito's first, then four that stay apart from them:
# the nearest pair of the ten is 13 CIELAB units apart or more under full protanopia, deuteranopia and tritanopia
# (Machado et al. 2009).
GROUP_COLOURS = (BLUE, ORANGE, GREEN, RED, "#56B4E9", "#CC79A7", "#882255", "#E5CF2E", "#332288", INK)
SHADES = (0, 0.5, -0.45)  # of each colour where there are more groups than ten: itself, lighter, darker

MARGIN = 0.042  # inches, as wide as the layout leaves beside the axes
TITLE_SIZE = 13
TITLE_CHARACTERS_PER_INCH = 8.5

_THEME = MappingProxyType(
    {
        "figure.dpi": 120,
        "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures look the same everywhere
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
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


def network_colour(name: str) -> str:
    """Return the colour, as ``#RRGGBB``, that stands for a network in every figure.

    Parameters
    ----------
    name
        Of an architecture, or a reference that names one (``mnist-lenet``, ``models:/mnist-lenet@champion``).
        Other names always get the same colour too, though two of them may share it.
    """
    known = [NETWORK_COLOURS[word] for word in re.findall(r"\w+", name) if word in NETWORK_COLOURS]
    return known[-1] if known else OTHER_COLOURS[zlib.crc32(name.encode()) % len(OTHER_COLOURS)]


def group_colour(group: int) -> str:
    """Return the colour, as ``#RRGGBB``, of a digit or of a cluster, counted from 0, in every map of them."""
    shade = SHADES[group // len(GROUP_COLOURS) % len(SHADES)]
    end = 255 if shade > 0 else 0
    channels = bytes.fromhex(GROUP_COLOURS[group % len(GROUP_COLOURS)][1:])
    return "#" + "".join(f"{round(channel + (end - channel) * abs(shade)):02X}" for channel in channels)


@contextmanager
def drawing(title: str, width: float, height: float) -> Iterator["Figure"]:
    """Yield an empty figure, and lay it out when the block ends.

    The theme holds within the block only: matplotlib's settings are as before afterwards, and the
    figure, being none of pyplot's, goes when its last reference goes.

    Parameters
    ----------
    title
        Set above the figure from its left edge, wrapped to its width; may be empty.
    width, height
        Size in inches.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_theme()):
        figure = Figure(figsize=(width, height), layout="constrained")
        if title:
            wrapped = textwrap.fill(title, int(width * TITLE_CHARACTERS_PER_INCH))
            figure.suptitle(wrapped, x=MARGIN / width, ha="left", fontsize=TITLE_SIZE, fontweight="bold")
        yield figure
        # Ticks take their style when they are first drawn, so they must be drawn within the theme.
        figure.draw_without_rendering()


def footnote(figure: "Figure", text: str) -> None:
    """Explain below a figure how to read it."""
    figure.supxlabel(text, x=MARGIN / figure.get_figwidth(), ha="left", fontsize=9, color=GREY)


def notice(figure: "Figure", text: str) -> None:
    """Say in the middle of an otherwise empty figure why it is empty."""
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=12, color=GREY)


def _theme() -> Any:
    import seaborn

    return {**seaborn.plotting_context("notebook"), **seaborn.axes_style("whitegrid"), **_THEME}
