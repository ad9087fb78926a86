"""The status page and the demo, in Chromium."""
