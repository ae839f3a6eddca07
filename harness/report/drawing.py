"""Drawing: layers of marks, placed in the chart's own units, as static SVG that stands in a page.

Colours are the page's variables, so that a chart follows its scheme; every name is spelled out and escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from harness.explain.visible import visible

WIDTH, LABELS = 480.0, 104.0
"""How wide a chart is, and how much of that is for labels at its right."""

TEXT, QUIET, BAD, BAND, LINES = "var(--text)", "var(--quiet)", "var(--bad)", "var(--none-bar)", "var(--line)"

Row = dict[str, Any]


def text(x: float, y: float, told: str) -> Row:
    """A word at a place."""
    return {"x": x, "y": y, "told": told}


def texts(rows: list[Row], colour: str, size: int, align: str = "left") -> Row:
    """A layer of words."""
    made = layer("text", rows, color=colour, fontSize=size, align=align, baseline="alphabetic")
    made["encoding"]["text"] = {"field": "told"}
    return made


def layer(mark: str, rows: list[Row], detail: str = "", **style: Any) -> Row:
    """A layer of Vega-Lite, its places in the chart's own units."""
    values = [{key: round(told, 1) if isinstance(told, float) else told for key, told in row.items()} for row in rows]
    encoding: Row = {axis: {"field": axis, "type": "quantitative", "axis": None} for axis in ("x", "y")}
    encoding |= {axis: {"field": axis} for axis in ("x2", "y2") if rows and axis in rows[0]}
    if detail:
        encoding["detail"] = {"field": detail}
    return {"data": {"values": values}, "mark": {"type": mark, **style}, "encoding": encoding}


def drawn(layers: list[Row], height: float, title: str, told: Sequence[str]) -> Markup:
    """The layers that have anything, as SVG as wide as there is room but no wider than it is drawn.

    title, told: what it shows, and what it says, in words.
    """
    layers = [each for each in layers if each["data"]["values"]]
    import vl_convert  # it brings an engine of its own, which those who draw nothing do not wait for

    layers[0]["encoding"]["x"]["scale"] = {"domain": [0, WIDTH], "nice": False, "zero": False}
    layers[0]["encoding"]["y"]["scale"] = {"domain": [height, 0], "nice": False, "zero": False}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "height": height,
        "padding": 0,
        "autosize": "none",
        "background": None,
        "config": {"aria": False, "view": {"stroke": None}},
        "layer": layers,
    }
    picture = ElementTree.fromstring(vl_convert.vegalite_to_svg(json.dumps(spec)))
    svg = ElementTree.Element("svg", {"role": "img", "viewBox": f"0 0 {WIDTH:g} {height:g}", "class": "chart"})
    svg.set("style", f"display: block; width: 100%; max-width: {WIDTH:g}px; height: auto")
    ElementTree.SubElement(svg, "title").text = title
    ElementTree.SubElement(svg, "desc").text = "; ".join(told)
    svg.extend(_plain(picture))
    return Markup(ElementTree.tostring(svg, encoding="unicode"))


def apart(places: Sequence[float], line: float, top: float, bottom: float) -> list[float]:
    """Where words go that stand beside ascending places: a line apart at least, between top and bottom where there is room."""
    lowest = bottom - line * (len(places) - 1)
    found: list[float] = []
    for number, place in enumerate(places):
        above = found[-1] + line if found else top
        found.append(max(above, min(place, lowest + line * number)))
    return found


def short(name: str, most: int) -> str:
    """A name in so many characters, and nothing in it that a page would obey."""
    shown = visible(name, 10 * most)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


_KEPT = {"d", "transform", "fill", "stroke", "x2", "y2", "opacity", "font-size", "fill-opacity", "stroke-opacity"}
_KEPT |= {"text-anchor", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"}


def _plain(picture: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """What is seen of a drawing: without the frames of its groups, and what scripts and styles would ask for."""
    for element in picture:
        if element.get("class") in ("background", "foreground"):
            continue
        plain = ElementTree.Element(element.tag.rpartition("}")[2])
        plain.attrib = {name: told for name, told in element.attrib.items() if name in _KEPT and told}
        if plain.get("transform") == "translate(0,0)":
            del plain.attrib["transform"]
        plain.text = element.text
        plain.extend(_plain(element))
        if plain.tag == "g" and not plain.attrib:
            yield from plain
        elif plain.tag != "g" or len(plain):
            yield plain
