"""The difference report: what s3cors changes, and each server's own CORS beside it."""
