// node main.js [namespace] [session], against $NATS_URL. Prints one JSON line for each step.

import { connect } from "@nats-io/transport-node";
import { Session } from "./kalahari.js";

const [namespace = "default", id = "node-1"] = process.argv.slice(2);
const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222", name: "kalahari-node-example" });
const say = (step, what) => console.log(JSON.stringify({ step, ...what }));
try {
  const session = new Session(nc, namespace, id);
  const prompt = (id, data) => ({ id, source: "/node", type: "run.kalahari.input.prompt.v1", data });

  const question = prompt("frage-ä-1", { text: "hello from node" });
  say("waited", await session.publishAndWait(question));

  // The same event again: nothing runs twice, and the outcome is the same one.
  const again = await session.publish(question);
  say("repeated", { duplicate: again.duplicate, ...(await session.publishAndWait(question)) });

  // Another event with the same idempotency key joins the first one's outcome.
  const key = { idempotencykey: "order-7" };
  say("first", await session.publishAndWait({ ...prompt("o-1", { text: "seven" }), extensions: key }));
  say("joined", await session.publishAndWait({ ...prompt("o-2", { text: "seven" }), extensions: key }));

  const image = await session.putBlob(Buffer.from([0x89, 0x50, 0x4e, 0x47]));
  say("image", await session.publishAndWait(prompt("picture", {
    content: [{ type: "text", text: "what is it?" }, { type: "image", blob: image, media_type: "image/png" }],
  })));

  const refused = await session.publishAndWait(prompt("no-picture", {
    content: [{ type: "image", blob: "sha256:" + "0".repeat(64) }],
  })).catch((e) => e.message);
  say("refused", { reason: refused });

  say("state", { phase: (await session.query("state")).phase });

  const completed = [];
  for await (const event of session.feed()) {
    if (event.type === "run.kalahari.outcome.input_completed.v1") completed.push(event.data.input_id);
    if (completed.at(-1) === "picture") break;
  }
  say("feed", { completed });
} finally {
  await nc.drain();
}
