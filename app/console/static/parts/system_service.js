/** Facts of the service: version, limits, and the key of this page. */

import { ask } from "../core/api.js";
import { bytes, count, rate, significant, similarity } from "../core/format.js";
import { html } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { info } from "../core/session.js";
import { useStore } from "../core/store.js";
import { hasText, t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { ProblemNotice } from "./notice.js";

const ME = { path: "me" };

export function ServiceFacts() {
  const known = useStore(info);
  return html`<div class="columns">
    <${Facts} name="service" facts=${serviceFacts(known)} call=${{ path: "info" }} />
    <${Key} />
    <${Facts} name="limits" facts=${limitFacts(known.limits)} />
    <${Facts} name="defaults" facts=${thresholdFacts(known.thresholds)} />
  </div>`;
}

/** A list of facts: [name of its text, value]; those without a value are left out. */
function Facts({ name, facts, call }) {
  return html`<section class="card" aria-labelledby=${`system-${name}`}>
    <h2 id=${`system-${name}`}>${t(`system.${name}`)}</h2>
    <dl class="facts">
      ${facts
        .filter(([, value]) => value != null)
        .map(([key, value]) => html`<dt key=${key}>${t(`system.fact_${key}`)}</dt><dd key=${`${key}-is`}>${value}</dd>`)}
    </dl>
    ${call && html`<p><${AsRequestButton} call=${call} /></p>`}
  </section>`;
}

const serviceFacts = ({ version, model, device, runtime, precision, image_formats, liveness }) => [
  ["version", version],
  ["embedder", html`${model.name} <small class="muted"><code title=${model.digest}>${model.digest.slice(0, 12)}</code></small>`],
  ["runs_on", `${device}, ${runtime}, ${precision}`],
  ["formats", image_formats.join(", ")],
  ["liveness", liveness === null ? t("system.not_configured") : liveness.networks.join(", ")],
];

const orNone = (value, written) => (value == null ? t("system.no_limit") : written(value));

const limitFacts = (limits) => [
  ["max_image_bytes", bytes(limits.max_image_bytes)],
  ["max_pixels", t("system.megapixels", { count: Math.round(limits.max_pixels / 1e5) / 10 })],
  ["max_request_bytes", bytes(limits.max_request_bytes)],
  ["max_images", count(limits.max_images)],
  ["max_faces", count(limits.max_faces)],
  ["max_bytes_in_flight", bytes(limits.max_bytes_in_flight)],
  ["max_connections", count(limits.max_connections)],
  ["patience_s", t("system.seconds", { count: limits.patience_s })],
  ["min_bytes_per_s", t("system.each_second", { size: bytes(limits.min_bytes_per_s) })],
  ["requests_per_s", orNone(limits.requests_per_s, significant)],
  ["requests_burst", limits.requests_burst],
  ["concurrent_requests", orNone(limits.concurrent_requests, count)],
];

const thresholdFacts = ({ target_fpir, target_fmr, margin, verify, identify, source }) => [
  ["target_fpir", rate(target_fpir)],
  ["target_fmr", rate(target_fmr)],
  ["verify", verify == null ? t("system.not_measured") : similarity(verify)],
  ["identify", identify == null ? null : similarity(identify)],
  ["margin", similarity(margin)],
  ["source", source],
];

/** What the key of this page is called, and what it may do. */
function Key() {
  const { data, problem, reload } = useLoaded((signal) => ask({ ...ME, signal }), []);
  if (problem) return html`<section class="card"><${ProblemNotice} problem=${problem} onRetry=${reload} /></section>`;
  if (data === null) return null;
  const right = (name) => (hasText(`system.right_${name}`) ? t(`system.right_${name}`) : name);
  return html`<${Facts}
    name="key"
    call=${ME}
    facts=${[
      ["key_name", data.authentication === "none" ? t("system.no_key") : data.name],
      ["role", html`<code>${data.role}</code>`],
      ["rights", html`<ul class="plain">${data.rights.map((name) => html`<li key=${name}>${right(name)}</li>`)}</ul>`],
      ["key_collections", data.collections === null ? t("system.all_collections") : data.collections.join(", ")],
    ]}
  />`;
}
