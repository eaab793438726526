/**
 * Where a face is and how it is turned, from its box and its five landmarks. They show whether a
 * head is turned to a side, and how far; a smile or an expression they do not show.
 */

const FRONT = 0.12; // distances of the eyes between the nose and the middle line
const TURNED = 0.2;
const TOO_FAR = 0.55; // beyond half profile, enrolment refuses the photo
const OFF_CENTRE = 0.17; // of the picture's sides
const SMALLEST = 0.22; // of the picture's height

/**
 * How far a head is turned to its own left, in distances of the eyes; negative to its right.
 * @param {Record<string, number[]>} landmarks [x, y] in pixels, as the service answers them
 */
export function yawOf({ left_eye: a, right_eye: b, nose }) {
  const [along, down] = [b[0] - a[0], b[1] - a[1]];
  const square = along * along + down * down;
  const [x, y] = [nose[0] - (a[0] + b[0]) / 2, nose[1] - (a[1] + b[1]) / 2];
  return square > 0 ? (x * along + y * down) / square : 0;
}

/** The pose: front, left, right (of the person), or null in between. */
export function poseOf(landmarks) {
  const yaw = yawOf(landmarks);
  if (Math.abs(yaw) <= FRONT) return "front";
  if (Math.abs(yaw) < TURNED || Math.abs(yaw) > TOO_FAR) return null;
  return yaw > 0 ? "left" : "right";
}

/** Whether a face fills the oval of a picture: "good", "far" or "beside". */
export function placeInOval([x1, y1, x2, y2], { width, height }) {
  const [across, down] = [(x1 + x2) / 2 / width - 0.5, (y1 + y2) / 2 / height - 0.5];
  if (Math.abs(across) > OFF_CENTRE || Math.abs(down) > OFF_CENTRE) return "beside";
  return (y2 - y1) / height < SMALLEST ? "far" : "good";
}
