"""`PUT`, `GET` and `DELETE ?cors` through s3cors (`rules.api: on`): tools, what must be refused, and the published tests of Ceph.

A server that has no such operation stays the judge of who may use it; s3cors then serves it. A server that has it stays the
authority: the same requests pass through, and s3cors follows its rules.
"""
