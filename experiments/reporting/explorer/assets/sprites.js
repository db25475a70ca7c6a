// The pictures of the digits, from sheets that are decoded when one of their digits is first wanted.

class Sprites {
  constructor({ columns, digits, side }) {
    Object.assign(this, { columns, digits, side });
    this.sources = [...document.querySelectorAll("script.sheet")];
    this.sheets = new Map();
  }

  sheet(number) {
    if (!this.sheets.has(number)) {
      const image = new Image();
      image.src = `data:image/png;base64,${this.sources[number].textContent}`;
      this.sheets.set(number, image.decode().then(() => image));
    }
    return this.sheets.get(number);
  }

  // Return a canvas, empty until its sheet is decoded.
  picture(point) {
    const { columns, digits, side } = this;
    const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side, className: "digit" });
    const at = point % digits;
    this.sheet(Math.floor(point / digits)).then((image) => {
      const [left, top] = [(at % columns) * side, Math.floor(at / columns) * side];
      canvas.getContext("2d").drawImage(image, left, top, side, side, 0, 0, side, side);
      canvas.dataset.drawn = "true";
    });
    return canvas;
  }
}
