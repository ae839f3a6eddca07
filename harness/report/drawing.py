"""Drawing: specifications of Vega-Lite as static SVG that stands in a page and takes its font and colours from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import accumulate
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from harness.explain.visible import visible

TEXT, QUIET, BAD, BAND, LINES = "var(--text)", "var(--quiet)", "var(--bad)", "var(--none-bar)", "var(--line)"

Spec = dict[str, Any]
Row = dict[str, Any]

_WIDTH, _LINE = 300, 12
_PADDING = {"left": 8, "right": 20, "top": 2, "bottom": 2}
"""Room for a page's font that is wider than the one by which words were measured."""

_HEADING = {"anchor": "start", "frame": "group", "dx": -32, "limit": 350}
_SMALL = {"labelColor": QUIET, "labelFontSize": 11, "titleColor": QUIET, "titleFontSize": 11, "titleFontWeight": 400}
_CONFIG: Spec = {
    "view": {"stroke": None},
    "title": {"color": TEXT, "fontSize": 12, "fontWeight": 400, **_HEADING},
    "axis": {"domain": False, "ticks": False, "title": None, "gridColor": LINES, "labelPadding": 6, **_SMALL},
    "axisX": {"grid": False, "titleAnchor": "start"},
    "axisY": {"grid": True, "labelOverlap": "greedy", "labelSeparation": 2},
    "line": {"strokeCap": "round", "strokeJoin": "round"},
    "circle": {"size": 20, "color": TEXT, "opacity": 1},
    "text": {"fontSize": 11, "color": TEXT, "align": "left", "limit": 110},
}
_LEFT_OUT = {"class", "role", "aria-hidden", "aria-label", "aria-roledescription", "pointer-events", "font-family"}


def drawn(spec: Spec, title: str, told: Iterable[str]) -> Markup:
    """A specification as SVG that is as wide as there is room but no wider than it is drawn.

    title, told: what it shows, and what it says, in words.
    """
    import vl_convert  # it brings an engine of its own, which those who draw nothing do not wait for

    text = vl_convert.vegalite_to_svg({"background": None, "padding": _PADDING, "config": _CONFIG, **spec})
    svg = ElementTree.fromstring(text.replace('xmlns="http://www.w3.org/2000/svg"', "", 1))
    for element in list(svg.iter()):
        element[:] = [each for each in element if each.get("class") not in ("background", "foreground")]
        element.attrib = {name: value for name, value in element.items() if name not in _LEFT_OUT}
    style = f"display: block; width: 100%; max-width: {svg.get('width')}px; height: auto"
    svg.attrib = {"role": "img", "viewBox": svg.get("viewBox", ""), "class": "chart", "style": style}
    for tag, words in (("desc", "; ".join(told)), ("title", title)):
        svg.insert(0, ElementTree.Element(tag))
        svg[0].text = visible(words)
    return Markup(ElementTree.tostring(svg, encoding="unicode"))


def plot(rows: Iterable[Row], height: int, x: Spec, y: Spec, layers: Iterable[Spec]) -> Spec:
    """Layers of marks over rows of numbers, of which x and y say how they lie; height: in CSS pixels."""
    encoding = {"x": {"type": "quantitative", **x}, "y": {"type": "quantitative", **y}}
    return {"width": _WIDTH, "height": height, "data": {"values": [*rows]}, "encoding": encoding, "layer": [*layers]}


def labels(told: Iterable[tuple[float, str]], scale: Spec, height: int) -> Spec:
    """A layer of words to the right of a plot, each beside its value, but a line below the one above it at least.

    told: values with their words; scale: of the values, "log" or "symlog"; height: of the plot in CSS pixels.
    """
    shape = {"log": math.log, "symlog": math.log1p}[scale["type"]]
    low, high = map(shape, scale["domain"])
    falling = sorted(told, reverse=True)
    places = [height * (high - min(shape(value), high)) / (high - low) for value, _ in falling]
    lowest = max(0.0, height - _LINE * (len(falling) - 1))
    free = accumulate((min(place - _LINE * number, lowest) for number, place in enumerate(places)), max)
    rows = [{"y": y + _LINE * n, "told": words} for n, (y, (_, words)) in enumerate(zip(free, falling, strict=True))]
    mark = {"type": "text", "x": _WIDTH + 8, "y": {"expr": "datum.y"}}
    return {"data": {"values": rows}, "mark": mark, "encoding": {"x": None, "y": None, "text": {"field": "told"}}}
