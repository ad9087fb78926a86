"""The browser as the judge of CORS."""
