/** Words of the camera and of photos, which several pages use. */
export default {
  preview: "Picture of the camera",
  start: "Start the camera",
  starting: "The camera starts …",
  stop: "Stop",
  stop_long: "Stop the camera",
  freeze: "Freeze",
  mirror: "Mirror",
  device: "Camera",
  device_any: "Any camera",
  device_number: "Camera {number}",
  app: "Open the camera app",

  photo_alt: "The photo {name}",
  cannot_cut:
    "The photo shows several faces, and this browser cannot cut one out of it. Save the photo as JPEG, and choose that.",
  photo_too_large: "The photo has {size}; the service takes {limit} at most. Save it smaller, or choose another.",
  photo_undrawable: "This browser cannot show {name}. The boxes are where the service found faces.",

  stopped_hidden: "The camera was stopped because the page was hidden.",
  stopped_idle: "The camera was stopped after ten minutes without any input.",
  stopped_ended: "The camera was unplugged, or the system took it away.",

  none_title: "No camera was found",
  none_text: "Connect a camera and try again, or choose a photo.",
  refused_title: "The browser may not use the camera",
  refused_text: "Allow the camera for this page, by the sign beside its address, and try again. Or choose a photo.",
  in_use_title: "The camera is in use",
  in_use_text: "Another program or tab uses it. Close it there and try again, or choose a photo.",
  failed_title: "The camera did not start",
  failed_text: "The browser says: {detail}. Try again, or choose a photo.",
  insecure_title: "Browsers give the camera to https and localhost only",
  insecure_text: "This page came over http from another computer. There are these ways:",
  insecure_tls: "Serve it with TLS:",
  insecure_proxy: "Put it behind a proxy with TLS.",
  insecure_tunnel: "Open a tunnel, and then the console on localhost:",
  insecure_app: "On a phone, use the button below: it opens the camera app and takes the photo over.",
};
