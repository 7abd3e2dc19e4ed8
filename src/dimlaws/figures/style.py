"""One look for every figure: legible in print, and for the colour-blind."""

from typing import Any

# Okabe & Ito (2008), told apart under every common colour vision deficiency.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.markersize": 4,
    "lines.linewidth": 1.2,
    "savefig.facecolor": "white",
    # Equal input gives equal bytes: text stays text, and ids do not depend on the clock.
    "svg.hashsalt": "dimlaws",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}

FORMATS: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "ModDate": None},
    "png": {"Software": None},
}
"""File formats, with the metadata that leaves out the time of drawing."""
