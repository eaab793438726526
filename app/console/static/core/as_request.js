/** Requests of the page as commands for a terminal. The key is a variable, never its value. */

import { urlOf } from "./api.js";
import { info } from "./session.js";

/** A text as one word of a POSIX shell. */
const quoted = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;

/** A text as a literal of Python. JSON's strings are Python's. */
const literal = (value) =>
  JSON.stringify(value, null, 4)
    .replace(/(?<=[[{,:]\s*|^)(true|false|null)(?=\s*[,\]}]|$)/gm, (word) =>
      word === "null" ? "None" : word[0].toUpperCase() + word.slice(1),
    );

const fileName = (value, name) => name ?? value.name ?? "photo.jpg";

/** @param {import("./api.js").Call} call */
export function asCurl(call) {
  const parts = [`curl ${quoted(urlOf(call))}`];
  if ((call.method ?? "GET") !== "GET" && !(call.method === "POST" && (call.form || call.json))) {
    parts.push(`-X ${call.method}`);
  }
  if (info.get() !== null) parts.push(`-H "x-api-key: $VULTUS_API_KEY"`);
  for (const [name, value] of Object.entries(call.headers ?? {})) {
    parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  }
  if (call.json !== undefined) parts.push(`--json ${quoted(JSON.stringify(call.json))}`);
  for (const [name, value, file] of call.form ?? []) {
    const text = value instanceof Blob ? `${name}=@${fileName(value, file)}` : `${name}=${value}`;
    parts.push(`${value instanceof Blob ? "-F" : "--form-string"} ${quoted(text)}`);
  }
  return parts.join(" \\\n  ");
}

/** @param {import("./api.js").Call} call */
export function asPython(call) {
  const lines = [];
  for (const [name, value] of Object.entries(call.headers ?? {})) {
    lines.push(`headers[${literal(name)}] = ${literal(value)}`);
  }
  const values = [];
  if (call.json !== undefined) values.push(`json=${literal(call.json)}`);
  const fields = (call.form ?? []).filter(([, value]) => !(value instanceof Blob));
  const files = (call.form ?? []).filter(([, value]) => value instanceof Blob);
  if (fields.length > 0) values.push(`data=${literal(Object.fromEntries(fields.map(([k, v]) => [k, String(v)])))}`);
  if (files.length > 0) {
    const opened = files.map(
      ([name, value, file]) => `(${literal(name)}, open(${literal(fileName(value, file))}, "rb"))`,
    );
    values.push(`files=[${opened.join(", ")}]`);
  }
  const method = (call.method ?? "GET").toLowerCase();
  const args = [literal(urlOf(call).href), "headers=headers", ...values];
  return [
    "import os",
    "",
    "import requests",
    "",
    'headers = {"x-api-key": os.environ.get("VULTUS_API_KEY", "")}',
    ...lines,
    `answer = requests.${method}(\n    ${args.join(",\n    ")},\n)`,
    "print(answer.status_code, answer.json())",
  ].join("\n");
}
