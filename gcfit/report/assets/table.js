// A table that is sorted, filtered, paged and copied; it builds only the rows of one page.
gcfit.Table = class {
  // columns: names; rows: arrays of cells; entry: what each row belongs to; link: the column whose cell is a button,
  // shown without the folder that all have in common (prefix)
  constructor(root, { columns, rows, entry, caption, link, prefix, pageSize, onChoose }) {
    Object.assign(this, { root, columns, rows, entry, caption, link, prefix, pageSize, onChoose });
    this.order = rows.map((_, index) => index);
    this.page = 0;
    this.sorted = { column: -1, falling: false };
    this.chosen = null;
    this.isText = columns.map((_, c) => rows.some((row) => typeof row[c] === "string"));
    this.words = rows.map((row) => row.filter((cell) => typeof cell === "string").join("\t").toLowerCase());
    this.build();
    this.show();
  }

  build() {
    const make = gcfit.make;
    this.filter = make("input", null, { type: "search", placeholder: "words, or r_squared<0.99" });
    this.filter.addEventListener("input", () => this.select());
    const label = make("label", "Filter ", { className: "wide" });
    label.append(this.filter);
    const copy = make("button", "Copy as TSV", { type: "button" });
    copy.addEventListener("click", () => this.copy());
    this.said = make("span", "", { className: "hint" });
    this.said.setAttribute("role", "status");
    const controls = make("div", null, { className: "controls" });
    controls.append(label, copy, this.said);
    const scroll = make("div", null, { className: "scroll", tabIndex: 0 });
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", this.caption);
    const table = make("table");
    this.head = this.buildHead();
    this.body = make("tbody");
    table.append(this.head, this.body);
    scroll.append(table);
    this.root.append(controls, scroll, this.buildPager());
  }

  buildHead() {
    const line = gcfit.make("tr");
    this.columns.forEach((name, c) => {
      const cell = gcfit.make("th", null, { scope: "col", className: this.isText[c] ? "text" : "" });
      const button = gcfit.make("button", name, { type: "button" });
      button.addEventListener("click", () => this.sort(c));
      cell.append(button);
      line.append(cell);
    });
    const head = gcfit.make("thead");
    head.append(line);
    return head;
  }

  buildPager() {
    const pager = gcfit.make("div", null, { className: "pager" });
    this.before = gcfit.make("button", "Previous page", { type: "button" });
    this.after = gcfit.make("button", "Next page", { type: "button" });
    this.where = gcfit.make("span");
    this.before.addEventListener("click", () => this.turn(-1));
    this.after.addEventListener("click", () => this.turn(1));
    pager.append(this.before, this.after, this.where);
    return pager;
  }

  // A click on a column: sort by it, or turn its direction round.
  sort(column) {
    this.sorted = { column, falling: this.sorted.column === column && !this.sorted.falling };
    [...this.head.querySelectorAll("th")].forEach((cell, c) => {
      if (c === column) cell.setAttribute("aria-sort", this.sorted.falling ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    this.arrange();
  }

  // Words that must all occur in the texts of a row, and comparisons of a column with a number.
  select() {
    const tests = this.filter.value.trim().split(/\s+/).filter(Boolean).map((word) => this.test(word));
    this.order = this.rows.map((_, index) => index).filter((index) => tests.every((test) => test(index)));
    this.arrange();
  }

  // Empty cells come last in both directions; equal ones keep the order that they were given in.
  arrange() {
    const { column, falling } = this.sorted;
    const isEmpty = (value) => value === null || value === "";
    if (column >= 0) {
      this.order.sort((a, b) => {
        const [x, y] = [this.rows[a][column], this.rows[b][column]];
        if (isEmpty(x) || isEmpty(y)) return isEmpty(x) - isEmpty(y) || a - b;
        const less = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
        return (falling ? -less : less) || a - b;
      });
    }
    this.page = 0;
    this.show();
  }

  test(word) {
    const [, name, sign, text] = word.match(/^(\w+)(<=|>=|<|>|=)(.+)$/) || [];
    const column = this.columns.indexOf(name);
    const wanted = Number(text);
    if (column < 0) return (index) => this.words[index].includes(word.toLowerCase());
    if (sign === "=") return (index) => gcfit.number(this.rows[index][column]).toLowerCase() === text.toLowerCase();
    const compare = { "<": (x) => x < wanted, ">": (x) => x > wanted, "<=": (x) => x <= wanted,
      ">=": (x) => x >= wanted }[sign];
    return (index) => typeof this.rows[index][column] === "number" && compare(this.rows[index][column]);
  }

  turn(pages) {
    this.page += pages;
    this.show();
  }

  show() {
    const last = Math.max(0, Math.ceil(this.order.length / this.pageSize) - 1);
    this.page = Math.min(Math.max(this.page, 0), last);
    const start = this.page * this.pageSize;
    const shown = this.order.slice(start, start + this.pageSize);
    this.body.replaceChildren(...shown.map((index) => this.line(index)));
    this.where.textContent = shown.length
      ? `${start + 1} to ${start + shown.length} of ${this.order.length}` : "nothing matches";
    this.before.disabled = this.page === 0;
    this.after.disabled = this.page === last;
  }

  line(index) {
    const line = gcfit.make("tr");
    const status = this.rows[index][this.columns.indexOf("status")];
    line.classList.toggle("bad", status !== undefined && status !== "ok");
    line.classList.toggle("chosen", this.entry[index] === this.chosen);
    this.rows[index].forEach((value, c) => {
      const text = gcfit.number(value);
      const cell = gcfit.make("td", c === this.link ? null : text, { className: this.isText[c] ? "text" : "" });
      if (this.columns[c] === "status") cell.classList.add("status");
      if (this.isText[c]) cell.title = text;
      if (c === this.link) {
        const short = text.startsWith(this.prefix) ? text.slice(this.prefix.length) : text;
        const button = gcfit.make("button", short || "(no name)", { type: "button" });
        button.addEventListener("click", () => this.onChoose(this.entry[index]));
        cell.append(button);
      }
      line.append(cell);
    });
    return line;
  }

  // Mark the rows of an entry; with `follow` turn to the page of the first.
  choose(entry, follow) {
    this.chosen = entry;
    const place = this.order.findIndex((index) => this.entry[index] === entry);
    if (follow && place >= 0) this.page = Math.floor(place / this.pageSize);
    this.show();
  }

  // The entry that stands `step` rows after the chosen one.
  neighbour(step) {
    const place = this.order.findIndex((index) => this.entry[index] === this.chosen);
    const next = this.order[place < 0 ? 0 : place + step];
    return next === undefined ? null : this.entry[next];
  }

  // A spreadsheet would run a text that begins with = + - @ as a formula: an apostrophe keeps it a text.
  tsv() {
    const cell = (value) => {
      if (value === null) return "";
      if (typeof value === "number") return String(value);
      const text = String(value).replace(/[\t\r\n]+/g, " ");
      return /^[=+\-@]/.test(text) ? `'${text}` : text;
    };
    const lines = this.order.map((index) => this.rows[index].map(cell).join("\t"));
    return [this.columns.join("\t"), ...lines].join("\n") + "\n";
  }

  async copy() {
    const text = this.tsv();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      gcfit.copyBySelection(text); // where the page may not use the clipboard directly
    }
    this.said.textContent = `${this.order.length} rows copied`;
  }
};

gcfit.copyBySelection = (text) => {
  const area = gcfit.make("textarea", null, { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};
