/* What stands in the way of an answer, in words for the visitor. */

export class Refusal extends Error {}
