// Reads every XML file of a folder with the public parser; prints a JSON line for each: what it understood, or why not.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { parseDuis } = require("@smartdcc/duis-parser");

const folder = process.argv[2];
for (const name of fs.readdirSync(folder).sort()) {
  let line = { name };
  try {
    const { header, body } = parseDuis("simplified", fs.readFileSync(path.join(folder, name)));
    const id = (each) => each && `${each.originatorId}:${each.targetId}:${each.counter}`;
    line = {
      name,
      type: header.type,
      request: id(header.requestId),
      response: id(header.responseId),
      code: header.responseCode,
      variant: header.commandVariant && header.commandVariant.number,
      service: header.serviceReferenceVariant && header.serviceReferenceVariant["Service Reference Variant"],
      body: Object.keys(body),
    };
  } catch (error) {
    line.error = String(error.message || error);
  }
  console.log(JSON.stringify(line));
}
