/** More photos of a person. Each is judged alone; what is refused is listed with the reason. */

import { ask, inCollection } from "../../core/api.js";
import { note } from "../../core/history.js";
import { html, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { href, route } from "../../core/router.js";
import { readCollection } from "../../core/session.js";
import { keepTabFace } from "../../core/tab_photos.js";
import { t } from "../../core/text.js";
import { Drop } from "../../parts/drop.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";
import { RejectedPhotos } from "../../parts/rejected_photos.js";

/** @param {{person: object, onChanged: () => void}} props */
export function AddPhotos({ person, onChanged }) {
  const [answer, setAnswer] = useState(null); // {photos, rejected, repeated} of the last photos
  const add = useAction(async (photos, force) => {
    setAnswer({ photos, rejected: [], repeated: 0 });
    const form = photos.map((photo) => ["images", photo, photo.name]);
    if (force) form.unshift(["force", "true"]);
    const path = inCollection(route.get().collection, "identities", person.id, "faces");
    try {
      const { faces, rejected } = await ask({ method: "POST", path, form });
      const fresh = faces.filter((face) => !face.already_enrolled);
      for (const face of fresh) if (face.box) await keepTabFace(face.id, photos[face.image_index], face.box);
      setAnswer({ photos, rejected, repeated: faces.length - fresh.length });
      if (fresh.length > 0) note(t("person.added", { count: fresh.length }));
      await readCollection();
      onChanged();
    } catch (problem) {
      setAnswer({ photos, rejected: problem.rejected ?? [], repeated: 0 });
      throw problem;
    }
  });
  const { rejected = [], repeated = 0, photos = [] } = answer ?? {};
  const guarded = rejected.filter(({ resemblance }) => resemblance);
  return html`<section class="card">
    <h2>${t("person.add_photos")}</h2>
    <${Drop} needs="enroll" multiple compact onFiles=${(files) => add.run(files, false)} />
    <p class="row">
      <a needs="enroll" class="button" href=${href("enroll", { query: { person: person.id } })}>${t("person.camera")}</a>
      <span role="status">${add.busy && t("person.adding")}</span>
    </p>
    ${repeated > 0 && html`<${Notice}>${t("person.repeated", { count: repeated })}<//>`}
    ${rejected.length > 0
      ? html`<${RejectedPhotos} rejected=${rejected} photos=${photos} />`
      : html`<${ProblemNotice} problem=${add.problem} />`}
    ${guarded.length > 0 &&
    html`<p>${t("person.force_text")}</p>
      <button needs="enroll" type="button" class="danger" disabled=${add.busy} onClick=${() => add.run(guarded.map((one) => photos[one.image_index]), true)}>
        ${t("person.force", { count: guarded.length })}
      </button>`}
  </section>`;
}
