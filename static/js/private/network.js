/* Networks in the ONNX format, run by ONNX Runtime. */

import * as ort from "../../vendor/onnxruntime-web/ort.wasm.bundle.min.js";
import { FACE_SIDE } from "./crops.js";
import { LABELS } from "../faces/expressions.js";

const MAX_THREADS = 4; // so small networks gain nothing from more

/** Make the runtime ready from its WebAssembly file; threads need a page that is isolated from others. */
export function startRuntime(wasmBinary, numThreads = threads()) {
  Object.assign(ort.env.wasm, { wasmBinary, proxy: false, numThreads });
  ort.env.logLevel = "error";
}

/** Half of the processors, for the page and the camera need some too. */
const threads = () => (crossOriginIsolated ? Math.max(1, Math.min(MAX_THREADS, navigator.hardwareConcurrency >> 1)) : 1);

const open = (file) => ort.InferenceSession.create(file, { executionProviders: ["wasm"], logSeverityLevel: 3 });

/** The expressions' network: grey faces as crops.js prepares them to rows of seven probabilities. */
export async function openClassifier(file) {
  const session = await open(file);
  return async (faces) => {
    const pixels = new Uint8Array(faces.length * FACE_SIDE * FACE_SIDE);
    faces.forEach(({ data }, i) => pixels.set(data, i * FACE_SIDE * FACE_SIDE));
    const tensor = new ort.Tensor("uint8", pixels, [faces.length, FACE_SIDE, FACE_SIDE]);
    const { data } = (await session.run({ faces: tensor }, ["probabilities"])).probabilities;
    return faces.map((_, i) => Array.from(data.subarray(LABELS.length * i, LABELS.length * (i + 1))));
  };
}

/** What runs YuNet on planes of blue, green and red, and gives its outputs by name. */
export async function openYuNet(file) {
  const session = await open(file);
  return async (planes, width, height) => {
    const outputs = await session.run({ input: new ort.Tensor("float32", planes, [1, 3, height, width]) });
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  };
}
