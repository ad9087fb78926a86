"""What s3cors says that a browser will do, against what Chromium does."""
