package schema

import (
	"strings"

	"github.com/kalahari-run/kalahari/subjects"
)

// AsyncAPI is the AsyncAPI 3 document of a namespace's subjects. Its application is
// Kalahari: it receives inputs and commands, and sends everything else.
func AsyncAPI() map[string]any {
	schemas, messages := object{"CloudEvent": cloudEvent()}, object{}
	byClass := map[subjects.Class][]string{}
	for _, t := range subjects.Catalogue() {
		s, defs := dataOf(&t)
		schemas[t.Type] = relocated(s)
		for _, name := range sorted(defs) {
			schemas[name] = relocated(defs[name])
		}
		messages[t.Type] = object{
			"name": t.Type, "title": t.Name, "summary": t.Description, "contentType": "application/json",
			"headers": object{"$ref": "#/components/schemas/CloudEvent"},
			"payload": object{"$ref": "#/components/schemas/" + t.Type},
			"tags":    []any{object{"name": string(t.Class)}},
		}
		byClass[t.Class] = append(byClass[t.Class], t.Type)
		if t.Signal {
			byClass["signal"] = append(byClass["signal"], t.Type)
		}
	}
	outgoing := append(append(append([]string{}, byClass[subjects.ClassOutcome]...), byClass[subjects.ClassOutput]...), byClass[subjects.ClassEffect]...)
	answers := []string{subjects.OutcomeType("CommandApplied"), subjects.OutcomeType("CommandRejected")}
	channels, operations := object{}, object{}
	for _, c := range []struct {
		name, address, action, about string
		types                        []string
	}{
		{"inputs", "kalahari.{namespace}.in.{session}", "receive", "Inputs and commands of a session. Publish through JetStream; the account maps it to the session's shard.", append(append([]string{}, byClass[subjects.ClassInput]...), byClass[subjects.ClassCommand]...)},
		{"control", "kalahari.{namespace}.ctl.{session}", "receive", "Commands, past a full mailbox.", byClass[subjects.ClassCommand]},
		{"feed", "kalahari.{namespace}.{shard}.log.{session}", "send", "The feed: one message for each commit, in order, exactly once. Read it with a JetStream consumer.", byClass[subjects.ClassCommit]},
		{"published", "kalahari.{namespace}.{shard}.fx.{session}.{name}", "send", "The published set: one message for each event, at least once, in the order of their sequence.", outgoing},
		{"signals", "kalahari.{namespace}.mob.{mob}.signal.{name}", "send", "Signals and answers of the sessions of a mob.", append(answers, byClass["signal"]...)},
	} {
		members, references := object{}, []any{}
		for _, t := range c.types {
			members[t] = object{"$ref": "#/components/messages/" + t}
			references = append(references, object{"$ref": "#/channels/" + c.name + "/messages/" + t})
		}
		channels[c.name] = object{"address": c.address, "description": c.about, "messages": members, "parameters": parametersOf(c.address)}
		operations[c.name] = object{
			"action": c.action, "channel": object{"$ref": "#/channels/" + c.name}, "summary": c.about, "messages": references,
		}
	}
	return object{
		"asyncapi": "3.0.0",
		"info": object{
			"title": "Kalahari", "version": "1.0.0",
			"description": "Sessions on NATS JetStream. Events are CloudEvents 1.0 in binary mode: attributes in ce- headers, the data in the body. docs/wire.md is the whole contract. Any event of a foreign type is an input too, carried unchanged.",
			"license":     object{"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
		},
		"defaultContentType": "application/json",
		"channels":           channels,
		"operations":         operations,
		"components":         object{"messages": messages, "schemas": schemas},
	}
}

var parameters = map[string]string{
	"namespace": "The namespace: 1 to 128 bytes of A-Z a-z 0-9 _ -.",
	"session":   "The session's id, made of the same characters.",
	"shard":     "FNV-1a (32 bit) of the session's id modulo the namespace's number of shards.",
	"name":      "The PascalCase name of the effect, outcome or output.",
	"mob":       "The mob's name.",
}

func parametersOf(address string) object {
	all := object{}
	for name, about := range parameters {
		if strings.Contains(address, "{"+name+"}") {
			all[name] = object{"description": about}
		}
	}
	return all
}

// relocated is a schema whose definitions are components of the document.
func relocated(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for name, member := range v {
			if ref, ok := member.(string); ok && name == "$ref" {
				member = "#/components/schemas/" + strings.TrimPrefix(ref, local)
			}
			out[name] = relocated(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = relocated(element)
		}
		return out
	}
	return v
}

// cloudEvent is the schema of the headers.
func cloudEvent() object {
	text := func(about string) object { return object{"type": "string", "description": about} }
	return object{
		"type": "object", "title": "CloudEvent", "description": "A CloudEvent's attributes, percent-encoded.",
		"required": []any{"ce-specversion", "ce-id", "ce-source", "ce-type"},
		"properties": object{
			"ce-specversion":                   object{"const": "1.0"},
			"ce-id":                            text("With the source it identifies the event. Of what a session publishes: <session>/<commit>.<i>, the resume point."),
			"ce-source":                        text("Of what a session publishes: /kalahari/<namespace>/sessions/<session>."),
			"ce-type":                          text("The event type."),
			"ce-subject":                       text("The session."),
			"ce-time":                          object{"type": "string", "format": "date-time"},
			"ce-datacontenttype":               text("The media type of the data."),
			"ce-" + subjects.ExtDataRef:        text("sha256:<hex>: the data are that blob of the session."),
			"ce-" + subjects.ExtIdempotencyKey: text("The second input with the same key is the first one."),
			"ce-" + subjects.ExtCorrelationID:  text("Carried into every event that follows."),
			"ce-" + subjects.ExtCausationID:    text("The id of the event that caused this one."),
			"ce-" + subjects.ExtLane:           text("queue or steer."),
			"ce-" + subjects.ExtDurability:     text("durable, ephemeral or derived."),
			"ce-" + subjects.ExtDeliverAt:      text("Admit the input no earlier."),
			"ce-" + subjects.ExtSequence:       text("On fx: decimal, from 1, without gaps."),
			"ce-" + subjects.ExtFence:          text("The fence token of the session's owner."),
			"ce-" + subjects.ExtTraceParent:    text("The trace in which the event was born."),
		},
	}
}
