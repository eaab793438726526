/** Words of picking and comparing people. */
export default {
  find: "Find a person",
  find_hint: "The beginning of a name or id. Arrow keys choose, Enter takes.",
  people_found: "People found",
  found: { one: "{count} person found", other: "{count} people found" },
  none_found: "No person is called so.",
  faces: { one: "{count} face", other: "{count} faces" },

  side: "Side {number}",
  similarity: "Similarity",
  photo: "The photo",
  photo_not_shown: "This browser cannot show {name}.",
  this_face: "this face",
  quality: "quality {quality}",
  no_pictures: "No pictures of these faces are kept. Compare with a photo of your own.",
  id: "Id",
  face_count: "Faces",
  enrolled: "Enrolled",
};
