/* global SwaggerUIBundle */

// Starts Swagger UI. In a file, because the page's policy refuses inline scripts.

const base = new URL(".", document.baseURI);

/**
 * Name the service's own address where the description names none: behind a proxy that strips a
 * prefix, the service may not know it, but this page does.
 */
function withServer(response) {
  if (response.ok && response.url === new URL("openapi.json", base).href) {
    const description = JSON.parse(response.text);
    description.servers ??= [{ url: base.pathname }];
    response.text = JSON.stringify(description);
  }
  return response;
}

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  responseInterceptor: withServer,
  validatorUrl: null,
});
