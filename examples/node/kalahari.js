// What a plain NATS client needs to know of Kalahari, in one file: publish an input,
// wait for its outcome, repeat it safely, read the feed, upload an image, ask a query.

import { createHash } from "node:crypto";
import { headers } from "@nats-io/transport-node";
import { DeliverPolicy, jetstream } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";

export class Session {
  constructor(nc, namespace, id) {
    Object.assign(this, { nc, namespace, id, js: jetstream(nc) });
  }

  // publish stores an event in the session's mailbox. The event is identified by source
  // and id: publishing it again, at any time, makes no second input.
  async publish({ id, source, type, data, extensions = {} }) {
    const h = headers();
    h.set("ce-specversion", "1.0");
    h.set("ce-id", encode(id));
    h.set("ce-source", encode(source));
    h.set("ce-type", encode(type));
    h.set("ce-datacontenttype", "application/json");
    for (const [name, value] of Object.entries(extensions)) h.set("ce-" + name, encode(value));
    const ack = await this.js.publish(`kalahari.${this.namespace}.in.${this.id}`, JSON.stringify(data), {
      headers: h,
      msgID: msgID(this.id, source, id),
    });
    // The stream's name ends in the session's shard, which the feed is found by.
    this.shard = ack.stream.split("_").pop();
    return ack;
  }

  // publishAndWait answers with the one terminal outcome of an input. It listens before it
  // publishes. What it does not hear (the input had ended long ago, the connection was
  // lost) it finds by asking the session.
  async publishAndWait(event, { timeout = 30_000, silence = 1_000 } = {}) {
    const sub = this.nc.subscribe(`kalahari.${this.namespace}.*.fx.${this.id}.*`);
    const heard = [];
    let wake = () => {};
    const listening = (async () => {
      for await (const m of sub) {
        heard.push(m);
        wake();
      }
    })();
    try {
      await this.nc.flush(); // the server has the subscription
      await this.publish(event);
      let input = event.data.input_id ?? event.id;
      for (const end = Date.now() + timeout; Date.now() < end;) {
        for (const m of heard.splice(0)) {
          const name = m.subject.split(".").pop();
          const data = m.json();
          if (name === "InputCompleted" && data.input_id === input) return data;
          if (decodeURIComponent(m.headers?.get("ce-causationid") ?? "") !== event.id) continue;
          if (name === "InputDeduplicated") input = data.existing_input_id; // its outcome is ours
          if (name === "InputRejected") throw new Error(`${data.kind}: ${data.reason}`);
        }
        const came = await new Promise((resolve) => {
          wake = () => resolve(true);
          setTimeout(() => resolve(false), heard.length ? 0 : silence).unref();
        });
        if (came) continue;
        const known = await this.query("input", { input_id: input }).catch(() => ({}));
        if (known.completed_at) return await this.completed(known.completed_at);
      }
      throw new Error(`no outcome of ${event.id} yet; it is stored, so waiting may go on later`);
    } finally {
      sub.unsubscribe();
      await listening;
    }
  }

  // feed is all that the session did, in order, exactly once, from a resume point on
  // ("<commit>.<i>", the end of an event's id). It goes on until the loop is left. If what
  // comes next is no longer in the log it throws; from "" on, the oldest there is comes first.
  async *feed({ after = "" } = {}) {
    const [commit, index] = after === "" ? [0, -1] : after.split(".").map(Number);
    const consumer = await this.js.consumers.get(`KALAHARI_${this.namespace}_LOG_${this.shard}`, {
      filter_subjects: `kalahari.${this.namespace}.${this.shard}.log.${this.id}`,
      ...(commit === 0
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: commit + 1 }),
    });
    const messages = await consumer.consume();
    try {
      let first = true;
      for await (const m of messages) {
        if (first && after !== "" && Number(m.headers.get("Kalahari-Prev")) > commit) {
          throw new Error(`the log of ${this.id} was trimmed after ${after}`);
        }
        let body = m.json();
        if (body.dataref) body = JSON.parse(await this.object("commit-" + body.dataref.split(":")[1]));
        for (const event of first ? body.events.slice(index + 1) : body.events) yield event;
        first = false;
      }
    } finally {
      await messages.close();
    }
  }

  async completed(position) {
    const [commit, index] = position.split(".").map(Number);
    for await (const event of this.feed({ after: `${commit}.${index - 1}` })) {
      return event.data;
    }
  }

  // putBlob stores a payload of the session and returns what a content block names.
  async putBlob(bytes) {
    const hash = createHash("sha256").update(bytes).digest("hex");
    const store = await new Objm(this.nc).open(`kalahari_${this.namespace}_blobs`);
    await store.putBlob({ name: `${this.id}/${hash}` }, bytes);
    return "sha256:" + hash;
  }

  async object(name) {
    const store = await new Objm(this.nc).open(`kalahari_${this.namespace}_blobs`);
    return Buffer.from(await store.getBlob(`${this.id}/${name}`)).toString();
  }

  async query(name, args = {}) {
    const answer = await this.nc.request(`kalahari.${this.namespace}.q.${this.id}.${name}`, JSON.stringify(args), { timeout: 5_000 });
    const body = answer.json();
    if (body.error) throw new Error(`${body.error.code}: ${body.error.message}`);
    return body;
  }
}

// msgID makes a retried publish one message (docs/wire.md).
export function msgID(session, source, id) {
  const hash = createHash("sha256").update(`${Buffer.byteLength(source)}:${source}${id}`).digest("hex");
  return `${session}:${hash.slice(0, 32)}`;
}

// encode is the percent-encoding of a ce- header.
function encode(value) {
  return String(value).replace(/[^\x21-\x7e]|["%]/gu, (c) =>
    [...Buffer.from(c)].map((b) => "%" + b.toString(16).toUpperCase().padStart(2, "0")).join(""));
}
