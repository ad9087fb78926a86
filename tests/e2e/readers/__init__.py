"""Programs that have a link for GET and ask HEAD first, to know how long the object is: `presigned.head: by_get`."""
