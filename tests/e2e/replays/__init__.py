"""Public reports of requests that a chain of proxies broke, each built again with s3cors in its place."""
