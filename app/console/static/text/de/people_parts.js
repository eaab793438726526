/** Wörter für das Wählen und Vergleichen von Personen. */
export default {
  find: "Person suchen",
  find_hint: "Der Anfang eines Namens oder einer ID. Pfeiltasten wählen, die Eingabetaste übernimmt.",
  people_found: "Gefundene Personen",
  found: { one: "{count} Person gefunden", other: "{count} Personen gefunden" },
  none_found: "Keine Person heißt so.",
  faces: { one: "{count} Gesicht", other: "{count} Gesichter" },

  side: "Seite {number}",
  similarity: "Ähnlichkeit",
  photo: "Das Foto",
  photo_not_shown: "Dieser Browser kann {name} nicht zeigen.",
  this_face: "dieses Gesicht",
  quality: "Qualität {quality}",
  no_pictures: "Von diesen Gesichtern sind keine Bilder gespeichert. Bitte mit einem eigenen Foto vergleichen.",
  id: "ID",
  face_count: "Gesichter",
  enrolled: "Erfasst",
};
