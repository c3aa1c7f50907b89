"use strict";
const place = document.getElementById("redoc");
Redoc.init(place.dataset.top + "openapi.json", { nativeScrollbars: true, hideDownloadButton: false }, place);
