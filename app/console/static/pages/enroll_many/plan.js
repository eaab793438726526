/**
 * From files to people: one folder a person, or a CSV that says whose each file is.
 *
 * Nothing is sent here. What the service would refuse anyway is found before.
 */

import { parseCsv } from "../../core/csv.js";

const SUFFIXES = {
  JPEG: ["jpg", "jpeg", "jpe", "jfif"],
  PNG: ["png"],
  WEBP: ["webp"],
  BMP: ["bmp"],
  TIFF: ["tif", "tiff"],
  GIF: ["gif"],
  AVIF: ["avif"],
  HEIF: ["heic", "heif"],
  JPEG2000: ["jp2", "j2k", "jpx"],
};
const OWN_COLUMNS = new Set(["file", "name", "external_id", "expires_at"]);

/**
 * A person to be enrolled. `left` are files that are not sent, and why.
 * @typedef {object} PlannedPerson
 * @property {string} externalId
 * @property {string} name
 * @property {string | null} expiresAt
 * @property {Record<string, string>} attributes
 * @property {{path: string, file: File}[]} photos
 */

/**
 * @typedef {object} Plan
 * @property {PlannedPerson[]} people
 * @property {{path: string, reason: string}[]} left files and lines that are left out
 */

/**
 * Plan an enrolment.
 * @param {{path: string, file: File}[]} files
 * @param {{image_formats: string[], limits: {max_image_bytes: number}}} info
 * @returns {Promise<Plan>}
 */
export async function planOf(files, info) {
  const visible = files.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  const lists = visible.filter(({ path }) => /\.csv$/i.test(path));
  const left = [];
  const photos = [];
  for (const found of visible.filter((one) => !lists.includes(one))) {
    const reason = reasonAgainst(found, info);
    if (reason === null) photos.push(found);
    else left.push({ path: found.path, reason });
  }
  const people = lists.length > 0 ? await byList(lists, photos, left) : byFolder(photos, left);
  people.sort((one, other) => one.externalId.localeCompare(other.externalId));
  return { people, left };
}

function reasonAgainst({ path, file }, { image_formats: formats, limits }) {
  const suffix = path.split(".").at(-1).toLowerCase();
  if (!formats.some((format) => SUFFIXES[format]?.includes(suffix))) return "not_an_image";
  if (file.size === 0) return "empty_file";
  return file.size > limits.max_image_bytes ? "too_large" : null;
}

/** One folder a person: the folder that holds the photos names them. */
function byFolder(photos, left) {
  const folders = new Set(photos.map(({ path }) => folderOf(path)));
  const people = new Map();
  for (const photo of photos) {
    const folder = folderOf(photo.path);
    const holdsFolders = [...folders].some((other) => other.startsWith(`${folder}/`));
    if (folder === "" || holdsFolders) {
      left.push({ path: photo.path, reason: "outside_of_folders" });
      continue;
    }
    const externalId = folder.split("/").at(-1).normalize("NFC");
    const person = people.get(externalId) ?? newPerson(externalId, externalId.replaceAll("_", " "));
    person.photos.push(photo);
    people.set(externalId, person);
  }
  return [...people.values()];
}

const folderOf = (path) => path.split("/").slice(0, -1).join("/");

const newPerson = (externalId, name) => ({
  externalId,
  name,
  expiresAt: null,
  attributes: {},
  photos: [],
});

/** A CSV with the columns file, name, external_id, expires_at; every other one is an attribute. */
async function byList(lists, photos, left) {
  const byPath = new Map(photos.map((photo) => [photo.path, photo]));
  const byName = new Map();
  for (const photo of photos) {
    const name = photo.path.split("/").at(-1);
    byName.set(name, byName.has(name) ? null : photo); // null: several have this name
  }
  const people = new Map();
  const used = new Set();
  for (const { path, file } of lists) {
    const folder = folderOf(path);
    for (const { line, cells } of parseCsv(await file.text())) {
      const at = `${path}:${line}`;
      const wanted = (cells.file ?? "").replaceAll("\\", "/").replace(/^\.\//, "");
      const photo = byPath.get(folder ? `${folder}/${wanted}` : wanted) ?? byPath.get(wanted) ?? byName.get(wanted);
      const externalId = cells.external_id || cells.name;
      if (!wanted || !externalId) left.push({ path: at, reason: "line_without_person" });
      else if (!photo) left.push({ path: `${at} ${wanted}`, reason: "file_missing" });
      else {
        const person = people.get(externalId) ?? newPerson(externalId, cells.name || externalId);
        takeCells(person, cells);
        person.photos.push(photo);
        people.set(externalId, person);
        used.add(photo);
      }
    }
  }
  for (const photo of photos) {
    if (!used.has(photo)) left.push({ path: photo.path, reason: "not_in_list" });
  }
  return [...people.values()];
}

function takeCells(person, cells) {
  if (cells.expires_at) person.expiresAt = cells.expires_at;
  for (const [name, value] of Object.entries(cells)) {
    if (!OWN_COLUMNS.has(name) && name !== "" && value !== "") person.attributes[name] = value;
  }
}
