// The console of the API's page: the OpenAPI document of this host, nothing from elsewhere, no token kept.
"use strict";

const place = document.getElementById("console");
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  docExpansion: "list",
  persistAuthorization: false,
  validatorUrl: null,
});
