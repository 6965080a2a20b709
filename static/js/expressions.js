/* The seven expressions, in the order in which bars and charts show them: pleasant above, unpleasant below. */

export const EXPRESSIONS = ["Happy", "Surprise", "Neutral", "Sad", "Fear", "Disgust", "Angry"];

/** The colour of an expression (or "Uncertain") as the style sheet has it. */
export function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name.toLowerCase()}`).trim();
}

export const percent = (share) => `${Math.round(share * 100)}%`;

/** What a face is said to show: its expression, or that none is clear. */
export const nameOf = (face) => (face.uncertain ? "Uncertain" : face.expression);
