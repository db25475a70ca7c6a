const explorer = new Explorer(readAtlas());
explorer.start();

// For tests and the curious. `find` gives the page's number of a digit; `place` where that is in the window, in
// CSS pixels; `pick` the number at a place on the stage, or -1; `time` the milliseconds a frame takes.
window.explorer = Object.freeze({
  count: explorer.atlas.count,
  renderer: explorer.renderer.name,
  find: (split, index) =>
    explorer.atlas.index.findIndex((each, i) => each === index && SPLITS[explorer.atlas.split[i]] === split),
  place(point) {
    const [{ x, y }, box] = [explorer.whereIs(point), byId("surface").getBoundingClientRect()];
    return { x: box.left + x, y: box.top + y };
  },
  pick: (x, y) => explorer.pick(x, y),
  time(frames = 10, every = 1) {
    const begin = performance.now();
    for (let i = 0; i < frames; i++) {
      explorer.camera.turn(0.02, 0);
      explorer.draw(every);
      explorer.renderer.finish();
    }
    return (performance.now() - begin) / frames;
  },
});
