/* One library at a time on the browser's camera, and on single faces; run.py calls `measure` and `name`. */

const ROOT = new URL("../../", import.meta.url);
const SCRIPTS = new URL("static/js/", ROOT);
const PACKAGES = new URL("benchmarks/browser/node_modules/", ROOT);
const WASM = new URL("@tensorflow/tfjs-backend-wasm/dist/", PACKAGES).href;
const WARM_UP_MS = 5000;
const FACE_SIDE = 48;
const LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]; // FER2013's order

const video = document.getElementById("video");
const marks = document.getElementById("marks");

/** Each gives `watch(onAnswer)`, which analyses the camera and calls with the age of what it shows, and `openNamer()`. */
const LIBRARIES = { ours, human, "face-api": faceApi };

/* This project: the page's own camera and worker. */

async function ours() {
  const load = (name) => import(new URL(name, SCRIPTS));
  const [{ OwnCamera }, { Stage }, { Engine }, { DeviceFrames }] = await Promise.all(
    ["camera/own-camera.js", "faces/stage.js", "private/engine.js", "private/device-frames.js"].map(load),
  );
  const runtime = new URL("static/vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz", ROOT).href;
  const [network, yunet] = ["network", "yunet"].map((name) => new URL(`private/${name}.onnx.gz`, ROOT).href);
  const files = { network, runtime, yunet };
  const settings = { min_face: null, smoothing: 0.25, min_confidence: 0.4 };
  return {
    watch(onAnswer) {
      const stage = new Stage(document.getElementById("picture"), marks);
      const frames = new DeviceFrames(new Engine({ files, settings }), { progress() {}, slow() {} });
      const result = (found) => {
        stage.mark(found.faces, found);
        onAnswer(found.age, found.faces.map(({ expression }) => expression.toLowerCase()));
      };
      const on = { result, state() {}, lost() {}, fault: (title, text) => { throw new Error(`${title}: ${text}`); } };
      new OwnCamera(video, stage, frames, on).start();
    },
    async openNamer() {
      const { startRuntime, openClassifier } = await load("private/network.js");
      const { download } = await load("private/downloads.js");
      const contents = await download({ network, runtime }, () => {});
      startRuntime(contents.runtime);
      const classify = await openClassifier(contents.network);
      return async (data) => LABELS[largest((await classify([{ data }]))[0])];
    },
  };
}

/* @vladmandic/human, without what this benchmark does not ask for; no answer is a repetition of an older one. */

async function human() {
  const { Human } = await import(new URL("@vladmandic/human/dist/human.esm.js", PACKAGES));
  const off = { enabled: false };
  const face = { mesh: off, iris: off, description: off, attention: off, emotion: { enabled: true, skipFrames: 0, skipTime: 0 } };
  const library = new Human({
    backend: "wasm",
    wasmPath: WASM,
    modelBasePath: new URL("@vladmandic/human/models/", PACKAGES).href,
    cacheSensitivity: 0,
    filter: off,
    face: { ...face, detector: { skipFrames: 0, skipTime: 0 } },
    body: off,
    hand: off,
    gesture: off,
  });
  await library.load();
  await library.warmup();
  return {
    watch: (onAnswer) =>
      watchWith(onAnswer, async () => {
        const { face: faces } = await library.detect(video);
        return faces.map(({ box, emotion }) => ({ box, name: emotion?.toSorted((a, b) => b.score - a.score)[0]?.emotion }));
      }),
    async openNamer() {
      const { tf } = library;
      const model = await tf.loadGraphModel(new URL("@vladmandic/human/models/emotion.json", PACKAGES).href);
      // As its src/gear/emotion.ts prepares a face.
      return async (data) => {
        const scores = tf.tidy(() => {
          const grey = tf.tensor(Float32Array.from(data, (value) => value / 255), [1, FACE_SIDE, FACE_SIDE, 1]);
          const face = tf.image.resizeBilinear(grey, model.inputs[0].shape.slice(1, 3), false);
          return model.execute(tf.mul(tf.sub(face, 0.5), 2));
        });
        const values = await scores.data();
        scores.dispose();
        return LABELS[largest(values)];
      };
    },
  };
}

/* @vladmandic/face-api with its small detector. */

async function faceApi() {
  const library = await import(new URL("@vladmandic/face-api/dist/face-api.esm.js", PACKAGES));
  library.tf.setWasmPaths(WASM);
  await library.tf.setBackend("wasm");
  await library.tf.ready();
  const models = new URL("@vladmandic/face-api/model/", PACKAGES).href;
  await library.nets.tinyFaceDetector.load(models);
  await library.nets.faceExpressionNet.load(models);
  const NAMES = { angry: "angry", disgusted: "disgust", fearful: "fear", happy: "happy", sad: "sad", surprised: "surprise", neutral: "neutral" };
  const best = (expressions) => NAMES[expressions.asSortedArray()[0].expression];
  const canvas = new OffscreenCanvas(FACE_SIDE, FACE_SIDE);
  return {
    watch: (onAnswer) =>
      watchWith(onAnswer, async () => {
        const found = await library.detectAllFaces(video, new library.TinyFaceDetectorOptions()).withFaceExpressions();
        return found.map(({ detection: { box }, expressions }) => ({ box: [box.x, box.y, box.width, box.height], name: best(expressions) }));
      }),
    async openNamer() {
      return async (data) => {
        const pixels = Uint8ClampedArray.from({ length: 4 * data.length }, (_, i) => (i % 4 === 3 ? 255 : data[i >> 2]));
        canvas.getContext("2d").putImageData(new ImageData(pixels, FACE_SIDE, FACE_SIDE), 0, 0);
        const element = Object.assign(document.createElement("canvas"), { width: FACE_SIDE, height: FACE_SIDE });
        element.getContext("2d").drawImage(canvas, 0, 0);
        return best(await library.nets.faceExpressionNet.predictExpressions(element));
      };
    },
  };
}

/** Analyse the camera's newest frame again and again, and draw boxes and names. */
async function watchWith(onAnswer, detect) {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 } } });
  await video.play();
  for (;;) {
    await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    const takenAt = performance.now();
    const faces = await detect();
    const context = marks.getContext("2d");
    context.clearRect(0, 0, marks.width, marks.height);
    for (const { box, name } of faces) {
      context.strokeRect(...box);
      context.fillText(name, box[0], box[1]);
    }
    onAnswer(performance.now() - takenAt, faces.map(({ name }) => name));
  }
}

const largest = (values) => values.indexOf(Math.max(...values));
const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Answers a second, median milliseconds from frame to marks, longest task of the page, and what was seen. */
window.measure = async (name, seconds) => {
  const library = await LIBRARIES[name]();
  const ages = [];
  const seen = {};
  let from = Infinity;
  await new Promise((resolve) => {
    let first = true;
    library.watch((age, names) => {
      if (first) [first, from] = [false, performance.now() + WARM_UP_MS];
      if (performance.now() < from) return;
      ages.push(age);
      names.forEach((found) => (seen[found] = (seen[found] ?? 0) + 1));
      if (performance.now() - from > 1000 * seconds) resolve();
    });
  });
  const passed = performance.now() - from;
  const observer = new PerformanceObserver(() => {});
  observer.observe({ type: "longtask", buffered: true });
  const blocks = observer.takeRecords().filter(({ startTime }) => startTime >= from).map(({ duration }) => duration);
  return { per_second: (1000 * ages.length) / passed, frame_to_marks_ms: middle(ages), longest_block_ms: Math.max(0, ...blocks), seen };
};

/** The name of each grey face, 48 pixels wide, of one string in base64. */
window.nameFaces = async (name, text) => {
  const all = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const nameFace = await (await LIBRARIES[name]()).openNamer();
  const size = FACE_SIDE * FACE_SIDE;
  const names = [];
  for (let start = 0; start < all.length; start += size) names.push(LABELS.indexOf(await nameFace(all.subarray(start, start + size))));
  return names;
};
window.ready = true;
