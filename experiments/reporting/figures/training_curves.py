"""Training curves of one network."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.style import BLUE, GRAY, INK, ORANGE, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Mapping[str, Sequence[float]]


def training_curves(history: Curves, title: str) -> "Figure":
    """Draw loss, accuracy and learning rate by epoch, with the best epoch marked.

    Parameters
    ----------
    history
        One finite value per epoch under ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``,
        ``learning_rate`` (at its end) and ``seconds``; at least one epoch. The best is the one of
        lowest ``val_loss``, the earliest among equals.
    title
        Should name data and model; epochs and seconds are added.
    """
    epochs = len(history["loss"])
    time = f"{epochs} epoch{'s' if epochs > 1 else ''} in {np.sum(history['seconds']):,.0f} s"
    with themed_figure(f"{title}, {time}", 12, 4) as figure:
        loss, accuracy, rate = figure.subplots(1, 3)
        _draw_both(loss, history, "loss", "loss (nats)")
        _draw_both(accuracy, history, "accuracy", "accuracy")
        _draw_rate(rate, history["learning_rate"])
        for axes in (loss, accuracy, rate):
            _mark_epochs(axes, epochs)
        figure.legend(handles=loss.lines, loc="outside lower left", ncols=3)
    return figure


def _draw_both(axes: "Axes", history: Curves, name: str, label: str) -> None:
    _draw(axes, history[name], "training", BLUE, "o")
    validation, best = history[f"val_{name}"], int(np.argmin(history["val_loss"]))
    _draw(axes, validation, "validation", ORANGE, "s")
    axes.axvline(best + 1, color=GRAY, linestyle="dashed", zorder=1, label="best epoch")
    axes.set_title(f"{label}, {validation[best]:.4f} in validation at epoch {best + 1}", loc="left")


def _draw_rate(axes: "Axes", rates: Sequence[float]) -> None:
    _draw(axes, rates, "learning rate", INK, "D")
    axes.set_title("learning rate at the end of an epoch", loc="left")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:g}")


def _draw(axes: "Axes", values: Sequence[float], label: str, color: str, marker: str) -> None:
    axes.plot(range(1, len(values) + 1), values, color=color, marker=marker, markersize=4, clip_on=False, label=label)


def _mark_epochs(axes: "Axes", epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="epoch", xlim=(0.5, epochs + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
