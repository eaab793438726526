/** Routes as requests that can be pasted into a terminal: what is in capitals is to be filled in. */

const photo = (field) => ({ form: [[field, new File([], "photo.jpg")]] });

/** What the requests of a route must hold; of those that are not here, nothing. */
const BODIES = {
  "/detect": photo("image"),
  "/embed": photo("image"),
  "/embed:batch": photo("images"),
  "/quality": photo("image"),
  "/verify": { form: ["a", "b"].map((one) => [`image_${one}`, new File([], `${one}.jpg`)]) },
  "/collections": { json: { name: "NAME" } },
  "/identify": photo("image"),
  "/identify:batch": photo("images"),
  "/search": { json: { face_id: "FACE_ID" } },
  "/identities": { form: [["name", "NAME"], ["images", new File([], "photo.jpg")]] },
  "/identities:merge": { json: { into: "IDENTITY_ID", from: ["IDENTITY_ID"] } },
  "/identities:delete": { json: { filter: {} } },
  "/identities/{identity_id}/faces": photo("images"),
  "/faces/{face_id}:move": { json: { identity_id: "IDENTITY_ID" } },
  "/unknowns/{group_id}:name": { json: { name: "NAME" } },
  "/unknowns/{group_id}:split": { json: { face_ids: ["FACE_ID"] } },
  "/unknowns:merge": { json: { group_ids: ["GROUP_ID", "GROUP_ID"] } },
};

/**
 * The call of a route, `POST /v1/collections/{collection}/identify`; null of what is not the API.
 * @param {string} route
 * @param {string} collection what stands for {collection}
 * @returns {import("../core/api.js").Call | null}
 */
export function callOf(route, collection) {
  const [method, path] = route.split(" ");
  if (!path?.startsWith("/v1/")) return null;
  const below = path.slice("/v1".length);
  const filled = below
    .slice(1)
    .replace("{collection}", encodeURIComponent(collection))
    .replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase());
  const body = method === "POST" ? BODIES[below.replace("/collections/{collection}", "")] : undefined;
  return { method, path: filled, ...(method === "PATCH" ? { json: {} } : body) };
}
