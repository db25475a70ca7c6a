// The page's state, and what happens when it changes.

const SPIN = 0.12; // radians a second
const SLOW = 45; // milliseconds a frame; above it a moving cloud is drawn with a third of its points
const MANY = 20000; // fewer points than this are always all drawn, lest the few of a filter come and go
const EVERYTHING = () => ({
  hiddenDigits: new Set(),
  hiddenGroups: new Set(),
  split: -1,
  mistakes: false,
  share: 1,
  cell: null,
});

class Explorer {
  constructor(atlas) {
    this.atlas = atlas;
    this.sprites = new Sprites(atlas.sheet);
    this.camera = new Camera(atlas.flat);
    const { positions, flat } = atlas;
    this.renderer = WebGLRenderer.create(positions, flat) ?? new CanvasRenderer(positions, flat);
    this.colorings = colorings(atlas);
    this.coloring = this.colorings[0];
    this.shown = new Uint8Array(atlas.count);
    this.colors = new Uint8Array(4 * atlas.count);
    const still = atlas.flat || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.state = { ...EVERYTHING(), grouping: 0, hovered: -1, pinned: -1, size: 1, names: true, rotating: !still };
    this.inside = false;
    this.previewed = -1;
    this.pace = 0; // milliseconds a frame, lately
  }

  start() {
    const choose = (kind) => (row, column) => this.chooseCell(kind, row, column);
    this.matrices = {
      confusion: new Matrix(byId("confusion"), { mistakes: true, describe: readAs, choose: choose("confusion") }),
      contingency: new Matrix(byId("contingency"), { describe: inCluster, choose: choose("contingency") }),
    };
    buildControls(this);
    buildGallery(this);
    buildStage(this);
    const canvas = this.renderer.canvas;
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => (this.renderer.build(), this.invalidate()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.refresh());
    this.refresh();
    this.view({});
  }

  // --- what is shown ---

  get hidden() {
    return this.coloring.id === "label" ? this.state.hiddenDigits : this.state.hiddenGroups;
  }

  get limit() {
    return Math.max(Math.round(this.state.share * this.atlas.count), 1);
  }

  change(changes) {
    Object.assign(this.state, changes);
    this.refresh();
  }

  showEverything() {
    this.change(EVERYTHING());
  }

  colorBy(id) {
    this.coloring = this.colorings.find((each) => each.id === id);
    const grouping = this.colorings.indexOf(this.coloring) - 2;
    const changes = { hiddenGroups: new Set() };
    const regroups = id.startsWith("grouping-") && grouping !== this.state.grouping;
    if (regroups) Object.assign(changes, this.regrouped(grouping));
    this.change(changes);
  }

  groupBy(grouping) {
    this.change(this.regrouped(grouping));
  }

  // Cells of one grouping's clusters mean nothing in another.
  regrouped(grouping) {
    return { grouping, cell: this.state.cell?.kind === "contingency" ? null : this.state.cell };
  }

  chooseCell(kind, row, column) {
    const { cell } = this.state;
    const again = cell?.kind === kind && cell.row === row && cell.column === column;
    this.change({ cell: again ? null : { kind, row, column } });
  }

  refresh() {
    this.background = fromHex(getComputedStyle(document.documentElement).getPropertyValue("--stage").trim());
    this.palette = this.coloring.names && colorsOf(this.coloring, this.atlas.palette, this.background);
    this.filter();
    this.chosen = this.chosenPoints();
    this.recolor();
    this.centers = this.groupCenters();
    showControls(this);
    this.showMatrices();
    showGallery(this);
    this.invalidate();
  }

  // Also count, for the legend, what each group has within the other filters.
  filter() {
    const { atlas, state, shown, limit, hidden, coloring } = this;
    const group = coloring.groupOf;
    this.counts = new Array(coloring.names?.length ?? 0).fill(0);
    for (let i = 0; i < atlas.count; i++) {
      const passes =
        i < limit &&
        this.inSplit(i) &&
        !(state.mistakes && atlas.labels[i] === atlas.predicted[i]) &&
        (hidden === state.hiddenDigits || !state.hiddenDigits.has(atlas.labels[i]));
      if (passes && group) this.counts[group[i]]++;
      shown[i] = passes && !(group && hidden.has(group[i])) ? 1 : 0;
    }
  }

  inSplit(i) {
    return this.state.split < 0 || this.atlas.split[i] === this.state.split;
  }

  // The points of the chosen cell, whatever else is filtered, or else all that are shown.
  chosenPoints() {
    const { atlas, shown } = this;
    const { cell } = this.state;
    const columnOf = cell?.kind === "contingency" ? this.groups : atlas.predicted;
    const belongs = cell
      ? (i) => atlas.labels[i] === cell.row && columnOf[i] === cell.column && this.inSplit(i)
      : (i) => shown[i];
    const points = [];
    for (let i = 0; i < atlas.count; i++) if (belongs(i)) points.push(i);
    return Uint32Array.from(points);
  }

  get groups() {
    return this.atlas.groupings[this.state.grouping]?.groups;
  }

  get description() {
    const { cell } = this.state;
    if (!cell) return "Digits shown";
    const which = SPLITS[this.state.split];
    const what = (cell.kind === "confusion" ? readAs : inCluster)(cell.row, cell.column);
    return which ? `${what} (${which})` : what;
  }

  recolor() {
    const { atlas, colors, coloring, shown, palette, state } = this;
    const stops = coloring.scoreOf && Array.from({ length: 256 }, (_, i) => along(ramp(this.background), i / 255));
    for (let i = 0; i < atlas.count; i++) {
      const color = stops ? stops[Math.round(255 * coloring.scoreOf[i])] : palette[coloring.groupOf[i]];
      colors.set(color, 4 * i);
      colors[4 * i + 3] = shown[i] ? (state.cell ? DIMMED : BRIGHT) : HIDDEN;
    }
    for (const point of this.chosen) colors[4 * point + 3] = BRIGHT;
    this.renderer.recolor(colors);
  }

  groupCenters() {
    const { atlas, coloring, shown } = this;
    if (!coloring.names || coloring.unnamed || coloring.names.length > NAMED_GROUPS) return [];
    const sums = coloring.names.map((name) => ({ name, count: 0, center: [0, 0, 0] }));
    for (let point = 0; point < atlas.count; point++) {
      if (!shown[point]) continue;
      const sum = sums[coloring.groupOf[point]];
      sum.count++;
      for (let d = 0; d < 3; d++) sum.center[d] += atlas.positions[3 * point + d];
    }
    const present = sums.filter(({ count }) => count).sort((a, b) => b.count - a.count);
    return present.map(({ name, count, center }) => ({ name, center: center.map((sum) => sum / count) }));
  }

  showMatrices() {
    const { atlas, state } = this;
    const included = (i) => this.inSplit(i);
    const chosen = (kind) => (state.cell?.kind === kind ? state.cell : null);
    this.matrices.confusion.show(counted(atlas.labels, atlas.predicted, 10, included), chosen("confusion"));
    if (!this.groups) return;
    const columns = atlas.groupings[state.grouping].count;
    this.matrices.contingency.show(counted(atlas.labels, this.groups, columns, included), chosen("contingency"));
  }

  // --- what is looked at ---

  get pointSize() {
    const { width, height, zoom } = this.camera;
    const room = 0.95 * Math.sqrt((width * height) / this.atlas.count);
    return Math.min(Math.max(room, LEAST_POINT), LARGEST_POINT) * this.state.size * zoom ** 0.35;
  }

  pick(x, y) {
    return picked(x, y, this.camera, this.atlas.positions, this.colors, this.pointSize);
  }

  // Looked for once a frame at most, however often the pointer reports.
  hover(place) {
    this.pointer = place;
    this.invalidate();
  }

  leave() {
    this.inside = false;
    this.hover(null);
  }

  // Show a point of the gallery as if the pointer were on it.
  preview(point) {
    this.previewed = point;
    this.invalidate();
  }

  look() {
    const { pointer, state } = this;
    const point = pointer ? this.pick(pointer.x, pointer.y) : this.previewed;
    const card = byId("hover");
    if (point !== state.hovered) showCard(card, point === state.pinned ? -1 : point, this);
    state.hovered = point;
    byId("surface").classList.toggle("over", point >= 0);
    if (!card.hidden) placeCard(card, pointer ?? this.whereIs(point), this.camera);
  }

  whereIs(point) {
    const out = new Float32Array(4);
    this.camera.project(this.atlas.positions, 3 * point, out);
    return { x: out[0], y: out[1] };
  }

  select(point) {
    this.state.pinned = point;
    showCard(byId("pinned"), point, this);
    if (point === this.state.hovered) showCard(byId("hover"), -1, this);
    for (const button of byId("images").children) toggle(button, Number(button.dataset.point) === point);
    this.view({ rotating: false });
  }

  escape() {
    if (this.state.pinned >= 0) this.select(-1);
    else if (this.state.cell) this.change({ cell: null });
  }

  // --- the view ---

  move(change) {
    change();
    this.moving = true;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.moving = false;
      this.invalidate();
    }, 150);
    this.view({ rotating: false });
  }

  view(changes) {
    Object.assign(this.state, changes);
    toggle(byId("rotate"), this.state.rotating);
    toggle(byId("names"), this.state.names);
    this.invalidate();
  }

  invalidate() {
    this.frame ??= requestAnimationFrame((now) => this.onFrame(now));
  }

  onFrame(now) {
    this.frame = null;
    const turning = this.state.rotating && !this.inside;
    const gap = Math.min(now - (this.last ?? now), 100);
    if (turning) this.camera.turn((SPIN * gap) / 1000, 0);
    this.last = turning || this.moving ? now : null;
    this.pace = 0.93 * this.pace + 0.07 * gap;
    // Once too slow is always too slow: else the cloud would flicker between few points and all.
    this.slow ||= this.pace > SLOW;
    this.look();
    this.draw(this.slow && (turning || this.moving) && this.chosen.length > MANY ? 3 : 1);
    if (turning) this.invalidate();
  }

  draw(every = 1) {
    // A few points among thousands would be lost at the size of the rest.
    const emphasis = !this.state.cell || this.chosen.length > 3000 ? 1 : this.chosen.length > 400 ? 1.4 : 2.2;
    const size = this.pointSize * (every > 1 ? 1.4 : 1);
    this.renderer.draw(this.camera, { size, emphasis, background: this.background, every });
    drawOverlay(this);
  }
}

const readAs = (label, predicted) => `${label} read as ${predicted}`;
const inCluster = (label, cluster) => `${label} in cluster ${cluster}`;
