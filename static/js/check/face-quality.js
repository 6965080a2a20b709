/* How well a camera shows a face: its size, light and sharpness. Of the picture, nothing is kept. */

const SIDE = 48;

/** Measure the face in `box` ([x, y, width, height]) of a canvas; grey levels are 0-255. */
export function faceQuality(canvas, box) {
  const face = greyLevels(canvas, box);
  const all = greyLevels(canvas, [0, 0, canvas.width, canvas.height]);
  return { size: box[2], brightness: mean(face), surroundings: mean(all), sharpness: sharpness(face) };
}

function greyLevels(canvas, [x, y, width, height]) {
  const small = new OffscreenCanvas(SIDE, SIDE);
  const context = small.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, x, y, width, height, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float64Array.from({ length: SIDE * SIDE }, (_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
}

const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;

/** The variance of the Laplacian (Pech-Pacheco et al., 2000). */
function sharpness(grey) {
  const values = [];
  for (let row = 1; row < SIDE - 1; row++) {
    for (let i = row * SIDE + 1; i < (row + 1) * SIDE - 1; i++) {
      values.push(grey[i - 1] + grey[i + 1] + grey[i - SIDE] + grey[i + SIDE] - 4 * grey[i]);
    }
  }
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
}
