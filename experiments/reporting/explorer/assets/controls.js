// The controls: each `build...` is called once, each `show...` after every change.

const [LEAST_POINT, LARGEST_POINT] = [2.2, 9]; // pixels across, before zoom
const NAMED_GROUPS = 30; // more names than this hide the points

function buildControls(explorer) {
  const { atlas, state, colorings: ways } = explorer;
  byId("coloring").append(...ways.map((way) => element("option", { value: way.id, textContent: way.title })));
  byId("coloring").addEventListener("change", ({ target }) => explorer.colorBy(target.value));
  byId("digits").append(...Array.from({ length: 10 }, (_, digit) => {
    const aria = { label: `Digit ${digit}` };
    return element("button", { type: "button", textContent: digit, data: { group: digit }, aria });
  }));
  pressGroups(byId("digits"), 10, () => state.hiddenDigits, explorer);
  pressGroups(byId("legend"), () => explorer.coloring.names.length, () => explorer.hidden, explorer);
  byId("all-digits").addEventListener("click", () => {
    state.hiddenDigits = new Set(state.hiddenDigits.size ? [] : Array.from({ length: 10 }, (_, digit) => digit));
    explorer.refresh();
  });
  buildSplits(explorer);
  byId("share").addEventListener("input", ({ target }) => explorer.change({ share: (target.value / 100) ** 3 }));
  byId("mistakes").addEventListener("change", ({ target }) => explorer.change({ mistakes: target.checked }));
  byId("everything").addEventListener("click", () => explorer.showEverything());
  byId("clear").addEventListener("click", () => explorer.change({ cell: null }));
  byId("contingency-section").hidden = !atlas.groupings.length;
  byId("grouping").append(...atlas.groupings.map((each, i) => element("option", { value: i, textContent: each.name })));
  byId("grouping").addEventListener("change", ({ target }) => explorer.groupBy(Number(target.value)));
}

// A press hides or shows a group; with shift, it shows that group alone, or all again.
function pressGroups(host, count, hiddenOf, explorer) {
  host.addEventListener("click", (event) => {
    const entry = event.target.closest("button");
    if (!entry) return;
    const [group, hidden] = [Number(entry.dataset.group), hiddenOf()];
    const groups = Array.from({ length: typeof count === "function" ? count() : count }, (_, each) => each);
    if (event.shiftKey) {
      const alone = groups.every((each) => hidden.has(each) === (each !== group));
      for (const each of groups) alone || each === group ? hidden.delete(each) : hidden.add(each);
    } else if (!hidden.delete(group)) {
      hidden.add(group);
    }
    explorer.refresh();
  });
}

function buildSplits(explorer) {
  const { atlas } = explorer;
  const counts = SPLITS.map((_, split) => atlas.split.reduce((sum, each) => sum + (each === split), 0));
  byId("split-row").hidden = counts.includes(0);
  byId("split").append(...[["all", -1], ["train", 0], ["test", 1]].map(([name, split]) => {
    const radio = element("input", { type: "radio", name: "split", value: split, checked: split < 0 });
    radio.addEventListener("change", () => explorer.change({ split }));
    const title = number(split < 0 ? atlas.count : counts[split]);
    return element("label", { title }, radio, element("span", { textContent: name }));
  }));
}

function showControls(explorer) {
  const { atlas, state, shown } = explorer;
  const count = shown.reduce((sum, each) => sum + each, 0);
  const right = shown.reduce((sum, each, i) => sum + (each && atlas.labels[i] === atlas.predicted[i]), 0);
  const all = count === atlas.count;
  const which = all ? plural(count, "digit") : `${number(count)} of ${plural(atlas.count, "digit")} shown`;
  byId("count").textContent = count ? `${which}, ${(100 * right / count).toFixed(2)} % read correctly` : which;
  byId("count").dataset.shown = count;
  byId("everything").hidden = all && !state.cell;
  const limit = explorer.limit;
  const share = `${percent(limit / atlas.count)} (${number(limit)})`;
  byId("share-value").textContent = limit === atlas.count ? "all" : share;
  for (const button of byId("digits").children) toggle(button, !state.hiddenDigits.has(Number(button.dataset.group)));
  byId("all-digits").textContent = state.hiddenDigits.size ? "all" : "none";
  byId("share").value = 100 * Math.cbrt(state.share);
  byId("mistakes").checked = state.mistakes;
  for (const radio of byId("split").querySelectorAll("input")) radio.checked = Number(radio.value) === state.split;
  byId("coloring").value = explorer.coloring.id;
  byId("grouping").value = state.grouping;
  showLegend(explorer);
}

const percent = (share) => `${(100 * share).toFixed(share < 0.01 ? 2 : share < 0.1 ? 1 : 0)} %`;

function showLegend({ coloring, palette, counts, hidden, background }) {
  const [legend, note] = [byId("legend"), byId("legend-note")];
  legend.classList.toggle("scale", Boolean(coloring.scoreOf));
  if (coloring.scoreOf) {
    const bar = element("div", { className: "bar" });
    bar.style.background = `linear-gradient(to right, ${ramp(background).map(css).join(", ")})`;
    const ends = ["least confusing", "most confusing"].map((textContent) => element("span", { textContent }));
    legend.replaceChildren(bar, ...ends);
    note.textContent = "";
    return;
  }
  const focused = legend.contains(document.activeElement) ? document.activeElement.dataset.group : null;
  legend.replaceChildren(...coloring.names.map((name, group) => {
    const swatch = element("i", {});
    swatch.style.background = css(palette[group]);
    const label = `${coloring.noun ?? ""} ${name}: ${number(counts[group])}`.trim();
    const aria = { pressed: String(!hidden.has(group)), label };
    return element("button", { type: "button", data: { group, count: counts[group] }, aria },
      swatch, element("span", { textContent: name }), element("small", { textContent: number(counts[group]) }));
  }));
  if (focused !== null) legend.querySelector(`[data-group="${focused}"]`)?.focus();
  note.textContent = "Press to hide or show; shift-press to show one alone.";
}

const GALLERY = 200; // images at most

function buildGallery(explorer) {
  const images = byId("images");
  const pointOf = ({ target }) => Number(target.closest("button")?.dataset.point ?? -1);
  images.addEventListener("click", (event) => pointOf(event) >= 0 && explorer.select(pointOf(event)));
  for (const begin of ["pointerover", "focusin"]) {
    images.addEventListener(begin, (event) => explorer.preview(pointOf(event)));
  }
  for (const end of ["pointerleave", "focusout"]) images.addEventListener(end, () => explorer.preview(-1));
}

function showGallery({ atlas, sprites, state, chosen, description }) {
  const first = chosen.subarray(0, GALLERY);
  byId("gallery-title").textContent = description;
  const all = chosen.length <= GALLERY;
  const which = all ? plural(chosen.length, "digit") : `the first ${GALLERY} of ${number(chosen.length)}`;
  byId("gallery-note").textContent = chosen.length ? `${which}, most confusing first` : "no digits";
  byId("gallery").dataset.count = chosen.length;
  byId("clear").hidden = !state.cell;
  byId("images").replaceChildren(...Array.from(first, (point) => {
    const [label, predicted] = [atlas.labels[point], atlas.predicted[point]];
    const said = `${nameOf(point, atlas)}: ${label === predicted ? `a ${label}` : `a ${label} read as ${predicted}`}`;
    const button = element("button", {
      type: "button",
      title: said,
      className: label === predicted ? "" : "mistake",
      data: { point },
      aria: { label: said, pressed: String(state.pinned === point) },
    }, sprites.picture(point));
    return button;
  }));
  byId("images").scrollTop = 0;
}

function showCard(host, point, explorer) {
  host.hidden = point < 0;
  if (point < 0) return host.replaceChildren();
  host.dataset.point = point;
  host.replaceChildren(...cardOf(point, explorer.atlas, explorer.sprites));
  if (host.id === "pinned") {
    const aria = { label: "Let go of this digit" };
    const close = element("button", { type: "button", className: "close", textContent: "×", aria });
    close.addEventListener("click", () => explorer.select(-1));
    host.append(close);
  }
}

// Next to the pointer, and within the stage.
function placeCard(card, { x, y }, { width, height }) {
  const left = x + 16 + card.offsetWidth > width ? x - 16 - card.offsetWidth : x + 16;
  const top = Math.min(y + 12, height - card.offsetHeight - 8);
  card.style.transform = `translate(${Math.max(left, 8)}px, ${Math.max(top, 8)}px)`;
}
