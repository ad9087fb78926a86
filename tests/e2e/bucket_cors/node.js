"use strict";
// One command of the AWS SDK for JavaScript: the task is the argument, what the SDK says is the output.

const s3 = require("@aws-sdk/client-s3");

const { url, region, operation, parameters } = JSON.parse(process.argv[2]);
const client = new s3.S3Client({ endpoint: url, region, forcePathStyle: true, maxAttempts: 1 });
client.send(new s3[`${operation}Command`](parameters)).then(
  ({ $metadata, ...said }) => console.log(JSON.stringify(said)),
  (error) => {
    console.error(`${error.name}: ${error.message}`);
    process.exitCode = 1;
  },
);
