/**
 * Words. `t("people.title")` is the text `title` of `text/LANGUAGE/people.js`.
 *
 * A text may have places, `{name}`, and forms for a `count`: {one: "{count} face", other: ...}.
 * English stands in for what a language lacks.
 */

import { prefs } from "./prefs.js";
import { createStore } from "./store.js";

export const LANGUAGES = { en: "English", de: "Deutsch" };
const FALLBACK = "en";
const FILES = new Set(["frame"]);
const texts = new Map(); // "en/people" -> its texts

/** The language of the page; `pseudo` is English of double length, for tests of the layout. */
export const language = createStore(FALLBACK);

/** The language of the texts. */
const tag = () => (language.get() === "pseudo" ? FALLBACK : language.get());

/** The language for numbers and dates, as the browser writes it: en-GB has other dates than en-US. */
export const locale = () =>
  navigator.languages.find((one) => one.split("-")[0] === tag() && isTag(one)) ?? tag();

/** Not "en-US@posix", which some browsers offer and Intl refuses. */
const isTag = (text) => /^[a-z]{2,3}(-[a-z0-9]+)*$/i.test(text);

function wanted() {
  const { language: choice } = prefs.get();
  if (choice === "pseudo" || choice in LANGUAGES) return choice;
  const offered = navigator.languages.map((one) => one.split("-")[0]);
  return offered.find((one) => one in LANGUAGES) ?? FALLBACK;
}

/** Load the texts of a file, in the present language and in English. */
export async function loadTexts(file) {
  FILES.add(file);
  await Promise.all([...new Set([FALLBACK, tag()])].map((one) => load(one, file)));
}

async function load(tag, file) {
  const name = `${tag}/${file}`;
  if (texts.has(name)) return;
  texts.set(name, (await import(`../text/${name}.js`)).default);
}

/** Load the frame's texts, and follow the choice of language. */
export async function startTexts() {
  const apply = async () => {
    const next = wanted();
    const chosen = next === "pseudo" ? FALLBACK : next;
    await Promise.all([...FILES].flatMap((file) => [load(FALLBACK, file), load(chosen, file)]));
    document.documentElement.lang = chosen;
    language.set(next);
  };
  await apply();
  let present = prefs.get().language;
  prefs.subscribe((next) => {
    if (next.language === present) return;
    present = next.language;
    apply();
  });
}

function lookUp(key) {
  const dot = key.indexOf(".");
  const [file, name] = [key.slice(0, dot), key.slice(dot + 1)];
  return texts.get(`${tag()}/${file}`)?.[name] ?? texts.get(`${FALLBACK}/${file}`)?.[name];
}

/** Whether there is such a text; for words that stand for the service's codes. */
export const hasText = (key) => lookUp(key) !== undefined;

/**
 * A text, with its places filled. Numbers are written as the language does.
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 */
export function t(key, values = {}) {
  const filled = textOf(key, values).replace(/\{(\w+)\}/g, (place, name) =>
    name in values ? written(values[name]) : place,
  );
  return language.get() === "pseudo" ? `[${filled} ${filled}]` : filled;
}

/**
 * A text whose places are filled with elements, such as a name in its <bdi>: what a template takes.
 * An element is given by a function which makes it, as it may come twice.
 * @param {string} key
 * @param {Record<string, unknown>} values
 * @returns {unknown[]}
 */
export function tWith(key, values) {
  const parts = textOf(key, values).split(/\{(\w+)\}/);
  const filled = () => parts.map((part, at) => (at % 2 === 0 ? part : placed(values[part])));
  return language.get() === "pseudo" ? ["[", ...filled(), " ", ...filled(), "]"] : filled();
}

const placed = (value) => (typeof value === "function" ? value() : written(value));

function textOf(key, { count }) {
  const text = lookUp(key);
  if (text === undefined || typeof text === "string") return text ?? key;
  const form = new Intl.PluralRules(tag()).select(Number(count));
  return text[form] ?? text.other;
}

const written = (value) =>
  typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : String(value);
