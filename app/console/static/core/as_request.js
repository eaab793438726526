/** Requests of the page as commands for a terminal. The key is a variable, never its value. */

import { urlOf } from "./api.js";
import { info } from "./session.js";

const INDENT = "    ";

/** A text as one word of a POSIX shell. */
const quoted = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;

/** A file of a form. Within double quotes, curl takes `;` and `,` as they are. */
const ofFile = (name, file) => `${name}=@"${file.replace(/["\\]/g, "\\$&")}"`;

/** A value as a literal of Python. JSON's strings and numbers are Python's. */
function literal(value, indent = "") {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const parts = Array.isArray(value)
    ? value.map((one) => literal(one, deeper))
    : Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${literal(one, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (parts.length === 0) return open + close;
  return `${open}\n${parts.map((part) => `${deeper}${part},\n`).join("")}${indent}${close}`;
}

const fileName = (value, name) => name ?? value.name ?? "photo.jpg";
const hasBody = ({ form, json }) => json !== undefined || (form ?? []).length > 0;

/** @param {import("./api.js").Call} call */
export function asCurl(call) {
  const parts = [`curl ${quoted(urlOf(call))}`];
  const method = call.method ?? "GET";
  if (method !== (hasBody(call) ? "POST" : "GET")) parts.push(`-X ${method}`);
  if (info.get() !== null) parts.push(`-H "x-api-key: $VULTUS_API_KEY"`);
  for (const [name, value] of Object.entries(call.headers ?? {})) {
    parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  }
  if (call.json !== undefined) parts.push(`--json ${quoted(JSON.stringify(call.json))}`);
  for (const [name, value, file] of call.form ?? []) {
    if (value instanceof Blob) parts.push(`-F ${quoted(ofFile(name, fileName(value, file)))}`);
    else parts.push(`--form-string ${quoted(`${name}=${value}`)}`);
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
  if (call.json !== undefined) values.push(`json=${literal(call.json, INDENT)}`);
  const fields = (call.form ?? []).filter(([, value]) => !(value instanceof Blob));
  const files = (call.form ?? []).filter(([, value]) => value instanceof Blob);
  if (fields.length > 0) {
    values.push(`data=${literal(Object.fromEntries(fields.map(([k, v]) => [k, String(v)])), INDENT)}`);
  }
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
    "print(answer.status_code, answer.text)",
  ].join("\n");
}
