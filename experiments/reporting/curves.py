"""How training went, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.style import BLUE, GREY, INK, ORANGE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

History = Mapping[str, Sequence[float]]


def training_curves(history: History, title: str) -> "Figure":
    """Return loss, accuracy and learning rate against the epoch, the best epoch marked.

    Parameters
    ----------
    history
        One value an epoch under ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``,
        ``learning_rate`` and ``seconds``; at least one epoch. The best is the one of lowest ``val_loss``.
    title
        Says data and model.
    """
    with drawing(title, 12, 4) as figure:
        loss, accuracy, rate = figure.subplots(1, 3)
        _draw_both(loss, history, "loss", "loss (nats)")
        _draw_both(accuracy, history, "accuracy", "accuracy")
        _draw(rate, history["learning_rate"], "learning rate", INK, "D")
        rate.set_title(f"learning rate; {np.sum(history['seconds']):,.0f} s in all")
        for axes in (loss, accuracy, rate):
            _mark_epochs(axes, len(history["loss"]))
    return figure


def _draw_both(axes: "Axes", history: History, name: str, label: str) -> None:
    _draw(axes, history[name], "training", BLUE, "o")
    _draw(axes, history[f"val_{name}"], "validation", ORANGE, "s")
    best = _best_epoch(history["val_loss"])
    if best is not None:
        value = history[f"val_{name}"][best - 1]
        axes.axvline(best, color=GREY, linestyle="dashed", zorder=1)
        axes.set_title(f"{label}: {value:.4f} in validation at the best epoch, {best}")
    axes.legend()


def _draw(axes: "Axes", values: Sequence[float], label: str, colour: str, marker: str) -> None:
    axes.plot(range(1, len(values) + 1), values, color=colour, marker=marker, markersize=4, label=label)


def _best_epoch(losses: Sequence[float]) -> int | None:
    """Return the epoch, counted from 1, of the lowest loss; None where training diverged at once."""
    finite = np.isfinite(losses)
    return int(np.argmin(np.where(finite, losses, np.inf))) + 1 if finite.any() else None


def _mark_epochs(axes: "Axes", epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="epoch", xlim=(0.5, epochs + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
