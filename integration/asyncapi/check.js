// node check.js <asyncapi.json>: the document is valid AsyncAPI, every schema in it is one,
// and every reference in it leads somewhere.

import { readFileSync } from "node:fs";
import specs from "@asyncapi/specs";
import Ajv from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const document = JSON.parse(readFileSync(process.argv[2], "utf8"));
const faults = [];

// The meta-schema brings draft-07 along; a second one would be ambiguous.
const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
addFormats(ajv);
const meta = specs.schemas[document.asyncapi];
if (!meta) throw new Error(`no meta-schema for AsyncAPI ${document.asyncapi}`);
const valid = ajv.compile(meta);
if (!valid(document)) faults.push(...valid.errors.slice(0, 20).map((e) => `${e.instancePath}: ${e.message}`));

const dialect = new Ajv2020({ strict: false });
for (const [name, schema] of Object.entries(document.components.schemas)) {
  if (!dialect.validateSchema(schema)) faults.push(`schema ${name}: ${dialect.errorsText()}`);
}

const lookup = (ref) => ref.slice(2).split("/").reduce((v, key) => v?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], document);
const walk = (v, at) => {
  if (v === null || typeof v !== "object") return;
  if (typeof v.$ref === "string" && (!v.$ref.startsWith("#/") || lookup(v.$ref) === undefined)) faults.push(`${at}: nothing at ${v.$ref}`);
  for (const [key, member] of Object.entries(v)) walk(member, `${at}/${key}`);
};
walk(document, "");

for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);
