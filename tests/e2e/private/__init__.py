"""Private buckets that s3cors signs for: nothing but what is listed can be read, and reads go on while credentials are renewed."""
