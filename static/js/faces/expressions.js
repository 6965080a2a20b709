/* The seven expressions: their order, colours and words. */

/** As bars, charts and tables show them: pleasant above, unpleasant below. */
export const EXPRESSIONS = ["Happy", "Surprise", "Neutral", "Sad", "Fear", "Disgust", "Angry"];

/** As files have them: FER2013's order, which the model and the API keep as well. */
export const LABELS = ["Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"];

const colours = new Map();

/** The colour of an expression (or "Uncertain") as the style sheet has it, the same in every theme. */
export function colourOf(name) {
  if (!colours.has(name)) {
    const style = getComputedStyle(document.documentElement);
    colours.set(name, style.getPropertyValue(`--${name.toLowerCase()}`).trim());
  }
  return colours.get(name);
}

export const percent = (share) => `${Math.round(share * 100)}%`;

/** What a face is said to show: its expression, or that none is clear. */
export const nameOf = (face) => (face.uncertain ? "Uncertain" : face.expression);

/** How sure that is; of an uncertain face, which expression comes closest. */
export const confidenceOf = ({ uncertain, expression, confidence }) =>
  uncertain ? `${expression}? ${percent(confidence)}` : percent(confidence);

/** "3 faces: 2 Happy, 1 Sad". */
export function summaryOf(faces) {
  if (faces.length === 1) return `1 face: ${nameOf(faces[0])}`;
  const counts = new Map();
  for (const face of faces) counts.set(nameOf(face), (counts.get(nameOf(face)) ?? 0) + 1);
  const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${count} ${name}`);
  return `${faces.length} faces: ${parts.join(", ")}`;
}
