// Puts the page together: what is on the first screen at once, the rest when it is needed.
(() => {
  const make = gcfit.make;
  const at = (identity) => document.getElementById(identity);
  const columnOf = (table, name) => table.columns.indexOf(name);

  const list = (root, pairs) => pairs.forEach(([name, value]) => root.append(make("dt", name), make("dd", value)));

  const showHead = () => {
    const summary = gcfit.read("summary");
    at("title").textContent = summary.title;
    for (const [name, count, mood] of summary.counts) {
      const item = make("li", null, { className: mood });
      item.append(make("b", count), name);
      at("counts").append(item);
    }
    list(at("facts"), summary.facts);
    // each name and its value in one box: in columns they must not part
    for (const pair of summary.settings) {
      const box = make("div");
      list(box, [pair]);
      at("settings").append(box);
    }
  };

  // Rows of the peak table by the trace they belong to, each as an object by column.
  const peaksOf = (() => {
    let byEntry = null;
    return (entry) => {
      const { columns, rows, entry: owners } = gcfit.read("peaks");
      if (byEntry === null) {
        byEntry = new Map();
        owners.forEach((owner, row) => byEntry.set(owner, [...(byEntry.get(owner) || []), row]));
      }
      const named = (row) => Object.fromEntries(columns.map((name, c) => [name, rows[row][c]]));
      return (byEntry.get(entry) || []).map(named);
    };
  })();

  const files = gcfit.read("files");
  const { folder } = gcfit.read("summary");
  const rowOf = new Map(files.entry.map((entry, row) => [entry, row]));
  const cellOf = (entry, name) => (files.rows[rowOf.get(entry)] || [])[columnOf(files, name)] ?? "";
  const nameOf = (entry) => [cellOf(entry, "file"), cellOf(entry, "trace")].filter(Boolean).join(" · ");

  const tables = [];
  let chosen = null;

  const choose = (entry) => {
    if (entry === null || entry === undefined) return;
    chosen = entry;
    tables.forEach((table) => table.choose(entry, true));
    const failed = cellOf(entry, "status") !== "ok";
    const message = cellOf(entry, "message");
    at("overlay-name").textContent = `${nameOf(entry)}${failed ? ` · ${cellOf(entry, "status")}` : ""}`
      + (message ? ` · ${message}` : "");
    at("overlay-name").classList.toggle("bad", failed);
    showOverlay();
  };

  const showOverlay = () => {
    const root = at("overlay");
    const block = gcfit.read(`curves-${chosen}`);
    if (block) gcfit.drawOverlay(root, block, peaksOf(chosen));
    else Plotly.purge(root);
    root.setAttribute("aria-label", `Chromatogram, fit and residuals of ${nameOf(chosen)}`);
  };

  const showFiles = () => {
    const link = Math.max(0, columnOf(files, "file"));
    const table = new gcfit.Table(at("files-table"),
      { ...files, prefix: folder, caption: "Table of files", link, pageSize: 15, onChoose: choose });
    tables.push(table);
    at("previous-file").addEventListener("click", () => choose(table.neighbour(-1)));
    at("next-file").addEventListener("click", () => choose(table.neighbour(1)));
    at("show-peaks").addEventListener("click", () => gcfit.togglePeaks(at("overlay"), true));
    at("hide-peaks").addEventListener("click", () => gcfit.togglePeaks(at("overlay"), false));
  };

  const showPeaks = () => {
    const peaks = gcfit.read("peaks");
    const link = Math.max(0, columnOf(peaks, "file"));
    const table = new gcfit.Table(at("peaks-table"),
      { ...peaks, prefix: folder, caption: "Table of peaks", link, pageSize: 50, onChoose: choose });
    tables.push(table);
    table.choose(chosen, true);
  };

  const showTrend = () => {
    const trends = gcfit.read("trends");
    const group = trends.groups[Number(at("trend-component").value)];
    const column = at("trend-column").value;
    if (!group || !column) return;
    const points = gcfit.trendPoints(group, column, gcfit.read("peaks"));
    gcfit.drawTrend(at("trend"), group, column, points, nameOf, files.entry.length).then((out) => {
      const limits = group.limits[column];
      at("trend-words").textContent = limits
        ? `${points.length} values, mean ${gcfit.number(limits[0], 6)}, limits ${gcfit.number(limits[1], 6)} to `
          + `${gcfit.number(limits[2], 6)}, ${out} outside` : `${points.length} values; limits need two`;
    });
  };

  const prepareTrends = () => {
    const trends = gcfit.read("trends");
    const fill = (root, texts) => texts.forEach(([value, text]) => root.append(make("option", text, { value })));
    fill(at("trend-component"), trends.groups.map((group, j) => [String(j), `${group.label} (${group.rows.length})`]));
    // the component that most files have is the one to follow
    const rows = trends.groups.map((group) => group.rows.length);
    at("trend-component").value = String(rows.indexOf(Math.max(...rows)));
    fill(at("trend-column"), trends.columns.map((name) => [name, gcfit.trendNames[name]]));
    at("trend-component").addEventListener("change", showTrend);
    at("trend-column").addEventListener("change", showTrend);
    showTrend();
    if (at("trend").on) at("trend").on("plotly_click", ({ points }) => choose(points[0].x - 1));
  };

  // Runs `task` once, when the section comes near the screen.
  const whenNear = (identity, task) => {
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        watcher.disconnect();
        task();
      }
    }, { rootMargin: "400px" });
    watcher.observe(at(identity));
  };

  showHead();
  showFiles();
  // Charts come after the first paint of the tables: running plotly takes longer than all else.
  const startCharts = () => {
    document.head.append(make("script", at("plotly").textContent));
    // a file that could not be read stands first in the table but has nothing to draw
    choose(files.entry.find((entry) => at(`curves-${entry}`)) ?? files.entry[0]);
    whenNear("peaks-table", showPeaks);
    whenNear("trend", prepareTrends);
    document.body.dataset.ready = "charts";
  };
  document.body.dataset.ready = "tables";
  requestAnimationFrame(() => setTimeout(startCharts, 0));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (chosen !== null) showOverlay();
    if (at("trend").data) showTrend();
  });
})();
