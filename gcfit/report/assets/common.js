"use strict";
// Everything that stands in the page as text goes through textContent or `forPlotly`; nothing is ever parsed as HTML.
const gcfit = {};

// The content of a data block, parsed when it is first asked for.
gcfit.read = (() => {
  const known = new Map();
  return (identity) => {
    if (!known.has(identity)) {
      const block = document.getElementById(identity);
      known.set(identity, block ? JSON.parse(block.textContent) : null);
    }
    return known.get(identity);
  };
})();

gcfit.make = (tag, text, settings) => {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  return Object.assign(element, settings || {});
};

// Plotly reads a few HTML tags and entities in its texts; with these three letters replaced it finds none.
gcfit.forPlotly = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

gcfit.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Okabe and Ito (2008), light beside dark
gcfit.peakColours = ["#0072b2", "#e69f00", "#009e73", "#56b4e9", "#d55e00", "#cc79a7"];

gcfit.number = (value, digits) => {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(digits || 6)));
};

gcfit.layout = () => ({
  paper_bgcolor: gcfit.colour("paper"),
  plot_bgcolor: gcfit.colour("paper"),
  font: { color: gcfit.colour("ink"), size: 12, family: "system-ui, Segoe UI, DejaVu Sans, sans-serif" },
  hoverlabel: { align: "left", bgcolor: gcfit.colour("raised"), font: { color: gcfit.colour("ink"), size: 12 },
    bordercolor: gcfit.colour("muted") },
  hovermode: "closest",
});

gcfit.axis = (title, settings) => ({
  title: { text: title, standoff: 6 },
  zeroline: false,
  showline: true,
  ticks: "outside",
  gridcolor: gcfit.colour("line"),
  linecolor: gcfit.colour("muted"),
  exponentformat: "power",
  automargin: true,
  ...settings,
});

gcfit.plotSettings = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
