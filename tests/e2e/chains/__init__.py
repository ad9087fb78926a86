"""s3cors behind real proxies: the storage's policies see the client's address and scheme, and no one can claim another one."""
