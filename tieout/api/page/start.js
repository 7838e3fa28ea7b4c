SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  // The document is ours; nothing is sent anywhere to have it checked.
  validatorUrl: null,
});
