// A quantity of one component over the files, with its limits.
gcfit.trendNames = {
  retention_time_s: "Retention time (s)", area: "Area", k_a_per_s: "k_a (1/s)", k_d_per_s: "k_d (1/s)",
  plates: "Plate number",
};

gcfit.trendPoints = (group, column, peaks) => {
  const place = peaks.columns.indexOf(column);
  const error = peaks.columns.indexOf(column.replace(/(_per_s|_s)?$/, "_se$1"));
  return group.rows
    .map((row) => ({ entry: peaks.entry[row], value: peaks.rows[row][place],
      error: error < 0 ? null : peaks.rows[row][error] }))
    .filter((point) => typeof point.value === "number");
};

gcfit.drawTrend = (root, group, column, points, nameOf, count) => {
  const [mean, low, high] = group.limits[column] || [null, null, null];
  const isOut = points.map(({ value }) => mean !== null && (value < low || value > high));
  const ink = gcfit.colour("ink");
  const ends = points.flatMap(({ value, error }) => [value - (error || 0), value + (error || 0)])
    .concat(mean === null ? [] : [low, high]);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const margin = 0.06 * (most - least) || Math.abs(most) * 0.01 || 1;
  const level = (y, dash) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y,
    line: { color: gcfit.colour("muted"), width: 1.2, dash } });
  const trace = {
    x: points.map(({ entry }) => entry + 1),
    y: points.map(({ value }) => value),
    error_y: { type: "data", array: points.map(({ error }) => error || 0), visible: points.length < 200, width: 0,
      thickness: 1, color: gcfit.colour("data") },
    mode: "markers", hoverinfo: "text",
    text: points.map(({ entry, value }) => `${gcfit.forPlotly(nameOf(entry))}<br>${gcfit.number(value, 7)}`),
    marker: { size: isOut.map((out) => (out ? 11 : 6)), symbol: isOut.map((out) => (out ? "diamond" : "circle")),
      color: isOut.map((out) => (out ? gcfit.colour("bad") : gcfit.colour("accent"))) },
  };
  const layout = {
    ...gcfit.layout(),
    margin: { l: 70, r: 15, t: 10, b: 45 },
    xaxis: gcfit.axis("File, in the order of the run", { range: [0.5, count + 0.5], tickformat: "d",
      ...(count <= 12 ? { dtick: 1 } : {}) }),
    yaxis: gcfit.axis(gcfit.trendNames[column], { range: [least - margin, most + margin] }),
    showlegend: false,
    shapes: mean === null ? [] : [level(mean, "solid"), level(low, "dash"), level(high, "dash")],
    annotations: mean === null ? [] : [[mean, "mean"], [low, "−3σ"], [high, "+3σ"]].map(([y, text]) => ({
      x: 1, xref: "paper", xanchor: "right", y, yanchor: "bottom", text, showarrow: false, font: { size: 11, color: ink } })),
  };
  return Plotly.react(root, [trace], layout, gcfit.plotSettings).then(() => isOut.filter(Boolean).length);
};
