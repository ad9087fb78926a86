"""Private streams: one presigned playlist opens its folder."""
