"""The look that the theme has no option for, and how pages come onto paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_STYLE: Final = Path(__file__).with_name("page.css")
_SCALE: Final = """
const drawings = () => document.querySelectorAll(".js-plotly-plot .svg-container");
const layers = (drawing) => drawing.querySelectorAll(":scope > .main-svg");
const fit = () => drawings().forEach((drawing) => {
  const [width, height] = ["width", "height"].map((side) => layers(drawing)[0].getAttribute(side));
  drawing.style.setProperty("--drawn", `${width} / ${height}`);
  drawing.style.setProperty("--drawn-width", `${width}px`);
  layers(drawing).forEach((layer) => layer.setAttribute(
    "viewBox", `0 0 ${layer.getAttribute("width")} ${layer.getAttribute("height")}`
  ));
});
const restore = () => drawings().forEach((drawing) => {
  layers(drawing).forEach((layer) => layer.removeAttribute("viewBox"));
});
export default () => {
  window.addEventListener("beforeprint", fit);
  window.addEventListener("afterprint", restore);
  return () => {
    window.removeEventListener("beforeprint", fit);
    window.removeEventListener("afterprint", restore);
  };
};
"""
"""Plotly draws in pixels of the screen and not again for paper: what is drawn is scaled to it."""


def style() -> None:
    """Puts the style sheet into the page."""
    st.html(_STYLE)


def make_charts_fit(place: DeltaGenerator) -> None:
    """Puts the script that fits charts to paper into a place of the page."""
    with place:
        fit = st.components.v2.component("chargeback.paper", js=_SCALE)
        fit(key="paper")
