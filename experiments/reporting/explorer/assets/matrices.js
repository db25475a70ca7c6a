// Counts of labels against predictions or clusters, as a table of buttons.

const EVEN = 0.179; // luminance of a color on which black and white are equally readable: 4.6 to 1

function counted(rowOf, columnOf, columns, included) {
  const counts = Array.from({ length: 10 }, () => new Array(columns).fill(0));
  for (let i = 0; i < rowOf.length; i++) if (included(i)) counts[rowOf[i]][columnOf[i]]++;
  return counts;
}

class Matrix {
  // `describe(row, column)` says what a cell holds; `choose(row, column)` is called when one is pressed.
  constructor(host, { mistakes, describe, choose }) {
    Object.assign(this, { host, mistakes, describe, choose, focus: [0, 0] });
    host.addEventListener("keydown", (event) => this.move(event));
    host.addEventListener("click", ({ target }) => {
      const cell = target.closest("button");
      if (cell) this.choose(Number(cell.dataset.row), Number(cell.dataset.column));
    });
  }

  show(counts, chosen) {
    const columns = counts[0].length;
    const head = element("tr", {}, element("td"),
      ...Array.from({ length: columns }, (_, column) => element("th", { scope: "col", textContent: column })));
    const tones = ["--page", "--accent", "--tint-wrong"].map((name) => fromHex(this.style(name)));
    const rows = counts.map((row, digit) => {
      const total = row.reduce((sum, count) => sum + count, 0);
      const cells = row.map((count, column) => this.cell(count, total, digit, column, chosen, tones));
      return element("tr", {}, element("th", { scope: "row", textContent: digit }), ...cells);
    });
    this.host.style.setProperty("--columns", columns);
    const focused = this.host.contains(document.activeElement);
    this.host.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
    this.aim(Math.min(this.focus[0], 9), Math.min(this.focus[1], columns - 1), focused);
  }

  style(name) {
    return getComputedStyle(this.host).getPropertyValue(name).trim();
  }

  cell(count, total, row, column, chosen, [paper, accent, mistake]) {
    const wrong = this.mistakes && row !== column;
    const share = total ? count / total : 0;
    // Mistakes are a percent of a row: on the same scale as the rest, they would all look white.
    const tint = wrong ? Math.min(Math.sqrt(share * 12), 0.9) : Math.sqrt(share) * 0.9;
    const button = element("button", {
      type: "button",
      tabIndex: -1,
      textContent: count || "",
      data: { row, column, count },
      aria: {
        label: `${this.describe(row, column)}: ${number(count)}`,
        pressed: String(chosen?.row === row && chosen?.column === column),
      },
    });
    button.title = `${this.describe(row, column)}: ${number(count)}`;
    const color = mixed(paper, wrong ? mistake : accent, count ? Math.max(tint, 0.08) : 0);
    Object.assign(button.style, { background: css(color), color: luminance(color) > EVEN ? "#000" : "#fff" });
    return element("td", {}, button);
  }

  // One cell takes part in the tab order; arrow keys move within the matrix.
  move(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const cell = event.target.closest("button");
    if (!step || !cell) return;
    event.preventDefault();
    this.aim(Number(cell.dataset.row) + step[0], Number(cell.dataset.column) + step[1], true);
  }

  aim(row, column, focus) {
    const next = this.host.querySelector(`[data-row="${row}"][data-column="${column}"]`);
    if (!next) return;
    this.host.querySelectorAll('[tabindex="0"]').forEach((cell) => (cell.tabIndex = -1));
    next.tabIndex = 0;
    this.focus = [row, column];
    if (focus) next.focus({ preventScroll: true });
  }
}
