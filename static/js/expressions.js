/* The seven expressions: their order, colours and words. */

/** As bars, charts and tables show them: pleasant above, unpleasant below. */
export const EXPRESSIONS = ["Happy", "Surprise", "Neutral", "Sad", "Fear", "Disgust", "Angry"];

/** As files have them: FER2013's order, which the model and the API keep as well. */
export const LABELS = ["Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"];

/** The colour of an expression (or "Uncertain") as the style sheet has it. */
export function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name.toLowerCase()}`).trim();
}

export const percent = (share) => `${Math.round(share * 100)}%`;

/** What a face is said to show: its expression, or that none is clear. */
export const nameOf = (face) => (face.uncertain ? "Uncertain" : face.expression);
