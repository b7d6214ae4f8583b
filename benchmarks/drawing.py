"""Style of the figures in the documents."""

from matplotlib.axes import Axes

__all__ = ["BLUE", "DPI", "GREY", "ORANGE", "PALE", "RED", "tidy"]

BLUE, PALE, ORANGE, GREY, RED = "#2166ac", "#92c5de", "#e08214", "#666666", "#b2182b"
DPI = 120


def tidy(axes: Axes) -> None:
    """Remove the lines of the frame that carry no information."""
    axes.spines[["top", "right"]].set_visible(False)
