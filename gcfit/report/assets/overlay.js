// The interactive overlay of one trace: data, fit, peaks, baseline, residuals in units of the noise.
gcfit.decode = (curve) => {
  let count = 0;
  return curve.d.map((difference) => curve.o + curve.s * (count += difference));
};

// Curves of a data block as arrays over the same times; null where there is no baseline.
gcfit.curves = (block) => {
  const time = gcfit.decode(block.t);
  const signal = gcfit.decode(block.y);
  const baseline = new Array(time.length).fill(null);
  for (const run of block.b) gcfit.decode(run).forEach((value, j) => { baseline[run.i + j] = value; });
  const peaks = block.p.map((runs) => runs.flatMap((run) => gcfit.decode(run).map((value, j) => [run.i + j, value])));
  const total = baseline.slice();
  for (const points of peaks) {
    for (const [place, value] of points) if (total[place] !== null) total[place] += value;
  }
  const scale = block.noise > 0 ? block.noise : null;
  const residual = total.map((value, j) => (value === null || scale === null ? null : (signal[j] - value) / scale));
  return { time, signal, baseline, peaks, total, residual, unit: block.unit };
};

gcfit.withError = (row, name, unit) => {
  const value = row[name];
  if (value === null || value === undefined) return null;
  const error = row[name.replace(/(_per_s|_s)?$/, "_se$1")];
  const plusMinus = error === null || error === undefined ? "" : ` ± ${gcfit.number(error, 2)}`;
  return `${gcfit.number(value, 6)}${plusMinus}${unit}`;
};

// What a peak shows under the pointer.
gcfit.peakText = (row) => {
  const facts = [
    ["retention", gcfit.withError(row, "retention_time_s", " s")],
    ["area", gcfit.withError(row, "area", "")],
    ["k_a", gcfit.withError(row, "k_a_per_s", " /s")],
    ["k_d", gcfit.withError(row, "k_d_per_s", " /s")],
    ["plates", gcfit.number(row.plates, 4) || null],
    ["symmetry", gcfit.number(row.symmetry, 4) || null],
    ["S/N", gcfit.number(row.snr, 4) || null],
    ["R²", gcfit.number(row.r_squared, 6) || null],
    ["model", row.model || null],
    ["status", row.status === "ok" ? null : row.status],
    ["", row.message || null],
  ];
  const lines = facts.filter(([, value]) => value !== null).map(([name, value]) => (name ? `${name} ${value}` : value));
  return [gcfit.peakName(row), ...lines].map((line) => gcfit.forPlotly(line.slice(0, 90))).join("<br>");
};

gcfit.peakName = (row) => (row.name ? `${row.peak} ${row.name}` : `peak ${row.peak}`);

// A filled peak is one closed line: along its top, and back along the baseline.
gcfit.peakTrace = (curves, points, row, index, scale) => {
  const there = points.filter(([place]) => curves.baseline[place] !== null);
  const top = there.map(([place, value]) => [curves.time[place] / scale, curves.baseline[place] + value]);
  const foot = there.map(([place]) => [curves.time[place] / scale, curves.baseline[place]]).reverse();
  const outline = top.concat(foot);
  const colour = gcfit.peakColours[index % gcfit.peakColours.length];
  return { x: outline.map(([x]) => x), y: outline.map(([, y]) => y), mode: "lines", fill: "toself",
    fillcolor: `${colour}73`, line: { color: colour, width: 1 }, hoveron: "points+fills", hoverinfo: "text",
    text: gcfit.peakText(row), name: gcfit.forPlotly(gcfit.peakName(row).slice(0, 40)), meta: "peak" };
};

gcfit.overlayTraces = (curves, rows, scale) => {
  const x = curves.time.map((value) => value / scale);
  const ink = gcfit.colour("ink");
  const line = (y, name, settings) => ({ x, y, name, mode: "lines", hoverinfo: "skip", connectgaps: false, ...settings });
  return [
    line(curves.signal, "data", { line: { color: gcfit.colour("data"), width: 2 } }),
    ...rows.map((row, j) => gcfit.peakTrace(curves, curves.peaks[j] || [], row, j, scale)),
    line(curves.baseline, "baseline", { line: { color: ink, width: 1, dash: "dash" } }),
    line(curves.total, "fit", { line: { color: ink, width: 1.2 } }),
    line(curves.residual, "residual", { yaxis: "y2", line: { color: ink, width: 0.8 }, showlegend: false }),
  ];
};

gcfit.drawOverlay = (root, block, rows) => {
  const curves = gcfit.curves(block);
  const end = curves.time[curves.time.length - 1];
  const [scale, unit] = end >= 600 ? [60, "min"] : [1, "s"];
  const narrow = root.clientWidth < 560;
  const signal = curves.unit ? `Signal (${gcfit.forPlotly(curves.unit)})` : "Signal";
  const layout = {
    ...gcfit.layout(),
    margin: { l: 60, r: 10, t: 10, b: 45 },
    xaxis: gcfit.axis(`Time (${unit})`, { anchor: "y2" }),
    yaxis: gcfit.axis(signal, { domain: [0.27, 1] }),
    yaxis2: gcfit.axis("Residual (σ)", { domain: [0, 0.22] }),
    shapes: [{ type: "rect", xref: "paper", x0: 0, x1: 1, yref: "y2", y0: -2, y1: 2, layer: "below",
      fillcolor: gcfit.colour("band"), line: { width: 0 } }],
    showlegend: !(narrow && rows.length > 8),
    legend: narrow ? { orientation: "h", y: -0.2 } : { font: { size: 11 } },
  };
  return Plotly.react(root, gcfit.overlayTraces(curves, rows, scale), layout, gcfit.plotSettings);
};

gcfit.togglePeaks = (root, shown) => {
  const places = (root.data || []).map((trace, j) => (trace.meta === "peak" ? j : -1)).filter((j) => j >= 0);
  if (places.length) Plotly.restyle(root, { visible: shown ? true : "legendonly" }, places);
};
