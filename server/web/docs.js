"use strict";
const place = document.getElementById("swagger");
window.ui = SwaggerUIBundle({
  url: place.dataset.top + "openapi.json",
  domNode: place,
  filter: true, // the box that shows one tag, such as inference
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null, // nothing is sent elsewhere
});
