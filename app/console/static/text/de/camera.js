/** Wörter der Kamera und der Fotos, die mehrere Seiten benutzen. */
export default {
  preview: "Bild der Kamera",
  start: "Kamera starten",
  starting: "Die Kamera startet …",
  stop: "Stopp",
  stop_long: "Kamera anhalten",
  freeze: "Standbild",
  mirror: "Spiegeln",
  device: "Kamera",
  device_any: "Irgendeine Kamera",
  device_number: "Kamera {number}",
  app: "Kamera-App öffnen",

  photo_alt: "Das Foto {name}",
  cannot_cut:
    "Das Foto zeigt mehrere Gesichter, und dieser Browser kann keines ausschneiden. Das Foto als JPEG speichern und dieses wählen.",
  photo_too_large: "Das Foto hat {size}; der Dienst nimmt höchstens {limit}. Kleiner speichern, oder ein anderes wählen.",
  photo_undrawable: "Dieser Browser kann {name} nicht anzeigen. Die Rahmen stehen, wo der Dienst Gesichter fand.",

  stopped_hidden: "Die Kamera wurde angehalten, weil die Seite verdeckt war.",
  stopped_idle: "Die Kamera wurde nach zehn Minuten ohne Eingabe angehalten.",
  stopped_ended: "Die Kamera wurde abgezogen oder vom System entzogen.",

  none_title: "Keine Kamera gefunden",
  none_text: "Eine Kamera anschließen und es erneut versuchen, oder ein Foto wählen.",
  refused_title: "Der Browser darf die Kamera nicht benutzen",
  refused_text:
    "Die Kamera für diese Seite erlauben, über das Zeichen neben der Adresse, und es erneut versuchen. Oder ein Foto wählen.",
  in_use_title: "Die Kamera ist belegt",
  in_use_text:
    "Ein anderes Programm oder ein anderer Tab benutzt sie. Dort schließen und es erneut versuchen, oder ein Foto wählen.",
  failed_title: "Die Kamera startet nicht",
  failed_text: "Der Browser meldet: {detail}. Es erneut versuchen, oder ein Foto wählen.",
  insecure_title: "Browser geben die Kamera nur für https und localhost frei",
  insecure_text: "Diese Seite kam über http von einem anderen Rechner. Es gibt diese Wege:",
  insecure_tls: "Mit TLS bereitstellen:",
  insecure_proxy: "Hinter einen Proxy mit TLS stellen.",
  insecure_tunnel: "Einen Tunnel öffnen, und dann die Konsole auf localhost:",
  insecure_app: "Auf dem Telefon der Knopf unten: Er öffnet die Kamera-App und übernimmt das Foto.",
};
