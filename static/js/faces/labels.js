/* Where labels go: beside their faces, where they cover neither a face nor another label. As vision/labels.py does. */

const GAP = 0.25; // between a face and its label, as a share of the label's height
const LARGEST_INSIDE = 0.15; // the share of its own face that a label may cover where there is room nowhere else

/**
 * Place each face's label above, below or beside it, larger faces first.
 *
 * `faces` are boxes { x, y, width, height } in a picture of `width` and `height`; `sizes` has for each face the sizes
 * [width, height] of its label from the fullest to the shortest. Returns { variant, x, y } for each face.
 */
export function placeLabels(faces, sizes, width, height) {
  const taken = [...faces];
  const places = new Array(faces.length);
  const order = faces.map((_, i) => i).sort((a, b) => area(faces[b]) - area(faces[a]));
  for (const i of order) {
    const others = taken.filter((box) => box !== faces[i]);
    const place = freePlace(faces[i], sizes[i], taken, width, height) ?? placeInside(faces[i], sizes[i], others, width, height);
    places[i] = place;
    taken.push(box(place.x, place.y, sizes[i][place.variant]));
  }
  return places;
}

const area = ({ width, height }) => width * height;
const box = (x, y, [width, height]) => ({ x, y, width, height });
const clamp = (value, most) => Math.max(0, Math.min(value, most));

function freePlace(face, sizes, taken, width, height) {
  for (const [variant, size] of sizes.entries()) {
    for (const [x, y] of around(face, size, width)) {
      const inside = x >= 0 && y >= 0 && x + size[0] <= width && y + size[1] <= height;
      const label = box(x, y, size);
      if (inside && !taken.some((other) => overlap(label, other))) return { variant, x, y };
    }
  }
  return null;
}

/** The places around a face, the best first. */
function around(face, [labelWidth, labelHeight], width) {
  const gap = GAP * labelHeight;
  const [right, bottom] = [face.x + face.width, face.y + face.height];
  const columns = [face.x, right - labelWidth].map((x) => clamp(x, width - labelWidth));
  const rows = [face.y - labelHeight - gap, bottom + gap];
  const beside = [right + gap, face.x - labelWidth - gap].flatMap((x) => [[x, face.y], [x, bottom - labelHeight]]);
  return [...rows.flatMap((y) => columns.map((x) => [x, y])), ...beside];
}

/** A place in the face's own upper or lower edge, for the shortest label where it would cover much. */
function placeInside(face, sizes, others, width, height) {
  const last = sizes.length - 1;
  for (const [variant, size] of sizes.entries()) {
    if (size[0] * size[1] > LARGEST_INSIDE * area(face) && variant < last) continue;
    const x = clamp(face.x, width - size[0]);
    for (const edge of [face.y, face.y + face.height - size[1]]) {
      const y = clamp(edge, height - size[1]);
      if (!others.some((other) => overlap(box(x, y, size), other))) return { variant, x, y };
    }
  }
  return { variant: last, x: clamp(face.x, width - sizes[last][0]), y: clamp(face.y, height - sizes[last][1]) };
}

const overlap = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
