"""How the figures of the documents look."""

from matplotlib.axes import Axes

__all__ = ["BLUE", "DPI", "GREY", "ORANGE", "PALE", "RED", "tidy"]

BLUE, PALE, ORANGE, GREY, RED = "#2166ac", "#92c5de", "#e08214", "#666666", "#b2182b"
DPI = 120


def tidy(axes: Axes) -> None:
    """Leave out the lines of the frame that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)
