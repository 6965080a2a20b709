/* What the visitor lets this browser know of their own face; kept until the tab is closed, or saved as a file. */

import { Adaptation } from "./adaptation.js";
import { recall, remember } from "../page/remembered.js";
import { RestingFace } from "./resting-face.js";

const PLACE = "personal";

const inTab = () => sessionStorage;
const stored = () => recall(PLACE, {}, inTab);

/** The visitor's resting face and adaptation; null where there is none. */
export function personal() {
  const { resting_face: rest, adaptation } = stored();
  return { rest: RestingFace.fromRecord(rest), adaptation: Adaptation.fromRecord(adaptation) };
}

/** Keep a RestingFace and an Adaptation, or with null neither: one or the other is in use. */
export function keep({ rest = null, adaptation = null }) {
  const record = {};
  if (rest) record.resting_face = rest.record();
  if (adaptation) record.adaptation = adaptation.record();
  remember(PLACE, record, inTab);
}

/** What to save, as a file has it. */
export const personalFile = () => stored();

/** Take over a file that was saved; throws an Error in words where it holds neither. */
export async function load(file) {
  const content = await file.text().then(JSON.parse).catch(() => null);
  const rest = RestingFace.fromRecord(content?.resting_face);
  const adaptation = Adaptation.fromRecord(content?.adaptation);
  if (!rest && !adaptation) throw new Error("This file holds no resting face and no adaptation. Choose one that this page saved.");
  keep({ rest, adaptation });
}
