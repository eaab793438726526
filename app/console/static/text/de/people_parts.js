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
  most_alike: "am ähnlichsten",
  quality: "Qualität {quality}",
  no_pictures: "Von diesen Gesichtern sind keine Bilder gespeichert. Bitte mit einem eigenen Foto vergleichen.",
  id: "ID",
  face_count: "Gesichter",
  enrolled: "Erfasst",

  leaves: "Geht",
  leaves_hint: "Ab dann wird die Person nicht mehr gefunden und gelöscht. Leer: nie.",
  never: "Nie",
  in_days: { one: "in {count} Tag", other: "in {count} Tagen" },
  attributes: "Merkmale",
  attributes_hint: 'JSON, zum Beispiel {"site": "berlin", "floor": 3}',
  not_json: "Das ist noch kein JSON: {detail}",
  no_object: 'Merkmale stehen in geschweiften Klammern: {"site": "berlin"}',
  long_number: "Eine Zahl hat mehr Stellen, als ein Browser halten kann. Als Text in Anführungszeichen setzen.",
  too_long: "Merkmale dürfen 16 KiB haben.",

  merge_title: "Zu einer Person zusammenführen?",
  merge_lead:
    "Bitte zuerst die Gesichter prüfen: Eine Zusammenführung wird nicht geprüft und lässt sich nicht rückgängig machen.",
  merge_stays: "Wer bleibt?",
  merge_what:
    "{stays} bleibt, mit ID, Namen und allen Gesichtern beider. Was {stays} fehlt, wird von {goes} übernommen; {goes} gibt es danach nicht mehr.",
  merge_button: "In {stays} zusammenführen",
  merged: "{goes} wurde in {stays} zusammengeführt",
  choice_a: "Erste",
  choice_b: "Zweite",

  photos_rejected: { one: "{count} Foto wurde abgelehnt", other: "{count} Fotos wurden abgelehnt" },
  photo_number: "Foto {number}",
  looks_like: "Sieht aus wie {name}",
  merge_is_final: "Das Zusammenführen von Personen lässt sich nicht rückgängig machen.",
};
