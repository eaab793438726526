// CompreFace's own SDK for JavaScript: its paths, base64, URLs, and what it makes of options.

import fs from "fs";
import path from "path";
import { CompreFace } from "@exadel/compreface-js-sdk";
import { call, given } from "./calls.mjs";

const { port, key, photos, links } = given;

// Only a path that begins with "." is taken for one.
const relative = (name) => `./${path.relative(process.cwd(), photos[name])}`;
const base64 = (name) => fs.readFileSync(photos[name]).toString("base64");

const server = new CompreFace("http://127.0.0.1", port, {
    det_prob_threshold: 0.8,
    prediction_count: 1,
    face_plugins: "age,gender,landmarks",
    status: true,
});
const plain = new CompreFace("http://127.0.0.1", port);
const recognition = server.initFaceRecognitionService(key);
const recognitionPlain = plain.initFaceRecognitionService(key);
const detection = plain.initFaceDetectionService(key);
const verification = plain.initFaceVerificationService(key);
// A collection appends to its own URL: a new one for each call.
const faces = () => recognitionPlain.getFaceCollection();
const subjects = () => recognitionPlain.getSubjects();
/** What the SDK rejects with is axios's error: keep its answer. */
const refused = (promise) => promise.catch((error) => ({ status: error.response?.status, ...error.response?.data }));

await call("add subject", () => subjects().add("Grace"));
const ada = await call("enrol", () =>
    recognition.getFaceCollection().add(relative("ada"), "Ada%20Lovelace", { det_prob_threshold: 0.8 }));
await call("enrol base64", () => faces().add(base64("grace"), "Grace", {}));
await call("enrol link", () => faces().add(links.mona, "Mona", {}));
await call("enrol nobody", () => refused(faces().add(relative("coffee"), "Nobody", {})));
await call("faces", () => faces().list());
await call("subjects", () => subjects().list());

await call("recognise", () => recognition.recognize(relative("ada_again"), {}));
await call("recognise base64", () => recognitionPlain.recognize(base64("grace_again"), { limit: 1 }));
await call("recognise link", () => recognitionPlain.recognize(links.mona_again, {}));
await call("recognise nobody", () => refused(recognition.recognize(relative("coffee"), {})));
await call("recognise buffer", () => refused(recognition.recognize(fs.readFileSync(photos.ada), {})));
await call("recognise path as text", () => refused(recognition.recognize(photos.ada, {})));

await call("detect", () => detection.detect(relative("group"), { det_prob_threshold: 0.8, face_plugins: "pose", status: true }));
await call("detect base64", () => detection.detect(base64("group"), { limit: 1 }));
await call("compare", () => verification.verify(relative("ada"), relative("ada_again"), {}));
await call("compare link", () => verification.verify(links.mona, relative("ada"), {}));
await call("compare base64", () => verification.verify(base64("ada"), base64("grace"), {}));
await call("compare with face", () => recognition.getFaceCollection().verify(relative("ada_again"), ada.image_id, {}));

await call("rename", () => subjects().rename("Mona", "Mona Lisa"));
await call("merge", () => subjects().rename("Mona%20Lisa", "Grace"));
await call("delete subject", () => subjects().delete("Grace"));
await call("delete many", () => faces().delete_multiple_images([ada.image_id, ada.image_id]));
await call("delete face", () => refused(faces().delete(ada.image_id)));
await call("delete of subject", () => faces().delete_all_subject("Ada%20Lovelace"));
await call("delete faces", () => faces().delete_all());
await call("recognise without", () => recognition.recognize(relative("ada_again"), {}));
await call("delete all", () => subjects().deleteAll());
