/** Numbers, times and rates, as the page's language writes them. */

import { locale, t } from "./text.js";

const number = (options) => new Intl.NumberFormat(locale(), options);

/** A count: 100,003. @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const count = (value, options) => number(options).format(value);

/** A similarity: the cosine, with three decimals; thresholds have four. Never a percentage. */
export const similarity = (value, digits = 3) =>
  value == null ? "—" : number({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** A similarity that the service withholds: below what it shows. @param {number | null} shownFrom where that begins, if it says so */
export const belowShown = (shownFrom) =>
  shownFrom == null ? t("frame.not_shown") : t("frame.below", { similarity: similarity(shownFrom) });

/** A quality, 0 to 100. */
export const quality = (value) => (value == null ? "—" : number({ maximumFractionDigits: 0 }).format(value));

/** A number with so many significant digits. */
export const significant = (value, digits = 3) =>
  value == null ? "—" : number({ maximumSignificantDigits: digits }).format(value);

/** A share of something measured, 0 to 1. Similarities and error rates are none. */
export const percent = (value) => number({ style: "percent", maximumFractionDigits: 1 }).format(value);

/** A size: 1.4 MB. */
export function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1);
  return number({ style: "unit", unit: units[step], maximumFractionDigits: 1 }).format(
    value / 1000 ** step,
  );
}

/** Milliseconds, or seconds from one on. */
export const duration = (ms) =>
  ms == null
    ? "—"
    : ms < 1000
      ? number({ style: "unit", unit: "millisecond", maximumSignificantDigits: 3 }).format(ms)
      : number({ style: "unit", unit: "second", maximumFractionDigits: 1 }).format(ms / 1000);

/** An error rate in words: 1 in 1,000; 1 in 14 million. */
export function rate(value) {
  if (value == null) return "—";
  if (value <= 0) return t("frame.rate_none");
  if (value > 0.5) return t("frame.rate", { hits: Math.round(value * 10), of: "10" });
  const of = 1 / value;
  const notation = of < 1e6 ? {} : { notation: "compact", compactDisplay: "long" };
  return t("frame.rate", { hits: 1, of: number({ maximumSignificantDigits: 2, ...notation }).format(of) });
}

const moment = (value) => (value instanceof Date ? value : new Date(value));

/** When a person leaves: they expire, or their last consent ends; null for never. */
export function leavesAt({ expires_at: expires, consent_until: consent }) {
  if (expires == null || consent == null) return expires ?? consent ?? null;
  return expires < consent ? expires : consent;
}

/** A day: 12 Mar 2026. */
export const day = (value) =>
  value == null ? "—" : new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(moment(value));

/** A day and a time. */
export const dayAndTime = (value) =>
  value == null
    ? "—"
    : new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(moment(value));

/** From one time to another; what both have in common once: 3 Mar 2026, 14:00 – 14:20. */
export const between = (first, last) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).formatRange(moment(first), moment(last));

/** From which time on a unit is used, and its length, in seconds: "in 40 days" says more than "next month". */
const STEPS = [
  ["year", 730 * 86400, 365 * 86400],
  ["month", 90 * 86400, 30 * 86400],
  ["day", 86400, 86400],
  ["hour", 3600, 3600],
  ["minute", 60, 60],
  ["second", 0, 1],
];

/** From now: in 40 days, 3 minutes ago. */
export function fromNow(value, now = Date.now()) {
  if (value == null) return "—";
  const seconds = (moment(value).getTime() - now) / 1000;
  const [unit, , size] = STEPS.find(([, from]) => Math.abs(seconds) >= from);
  const written = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  return written.format(Math.round(seconds / size), unit);
}
