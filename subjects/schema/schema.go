// Package schema writes down what is on the wire for other programs: a JSON Schema for
// the data of each event type, and an AsyncAPI 3 document of the subjects they travel on.
// Both come from the catalogue of events and the declaration of the machine, so they
// cannot drift from either; a test holds what sessions really publish against them.
//
//go:generate go run ./internal/gen ../../docs
package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel/declaration"
	"github.com/kalahari-run/kalahari/subjects"
)

type object = map[string]any

const (
	dialect = "https://json-schema.org/draft/2020-12/schema"
	base    = "https://kalahari.run/schemas/"
)

// plain are the types of the catalogue that are none of the machine's.
var plain = map[string]func() object{
	"any":    func() object { return object{} },
	"object": func() object { return object{"type": "object"} },
	"time":   func() object { return object{"type": "string", "format": "date-time"} },
	"ref": func() object {
		return object{"type": "string", "pattern": "^sha256:[0-9a-f]{64}$", "description": "A blob of the session."}
	},
	"lane":         func() object { return object{"enum": []any{"queue", "steer"}} },
	"answer":       func() object { return object{"enum": []any{"completed", "failed", "cancelled"}} },
	"continuation": func() object { return object{"enum": []any{"ordinary", "workgraph_attention"}} },
	"uuid":         func() object { return object{"type": "string", "format": "uuid"} },
	"approval": func() object {
		return object{"enum": []any{"NotRequired", "Approved", "DeniedByUser", "RequiredButUnavailable"}}
	},
	"consumer":   func() object { return object{"enum": []any{"agent", "runtime_observed", "runtime_injected"}} },
	"identity":   func() object { return partly("SessionLlmIdentity", "model", "provider") },
	"visibility": func() object { return partly("SessionToolVisibilityState") },
	"witnesses":  func() object { return declaration.SchemaOf("Map<ToolName, ToolVisibilityWitness>") },
	"scopes":     func() object { return declaration.SchemaOf("Map<String, Set<String>>") },
	"tools": func() object {
		tool := object{
			"type": "object", "required": []any{"provenance"}, "additionalProperties": false,
			"properties": object{"provenance": declaration.SchemaOf("ToolProvenance"), "deferrable": object{"type": "boolean"}},
		}
		return object{"type": "object", "additionalProperties": tool}
	},
	"carried": func() object {
		return object{
			"type": "object", "required": []any{"kind"}, "additionalProperties": false, "description": "An input inside a command.",
			"properties": object{
				"kind": object{"enum": kinds()}, "data": object{},
				"idempotency_key": object{"type": "string"}, "supersession_key": object{"type": "string"},
				"lane": object{"enum": []any{"queue", "steer"}}, "durability": object{"enum": []any{"durable", "ephemeral", "derived"}},
			},
		}
	},
	"events": func() object {
		return object{"type": "array", "items": object{"type": "object", "description": "A CloudEvent in the JSON event format."}}
	},
}

// partly is a type of the machine of which only some members have to be given.
func partly(name string, required ...any) object {
	s := declaration.Machine().Schema(name)
	delete(s, "required")
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// kinds are the kinds of input.
func kinds() (all []any) {
	for _, t := range subjects.Catalogue() {
		if t.Class == subjects.ClassInput {
			all = append(all, t.Name)
		}
	}
	return all
}

// Events are the schemas of all event types' data, by type.
func Events() map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, t := range subjects.Catalogue() {
		s, defs := dataOf(&t)
		s["$schema"], s["$id"] = dialect, base+t.Type+".json"
		if len(defs) > 0 {
			s["$defs"] = defs
		}
		all[t.Type] = s
	}
	return all
}

// dataOf is the schema of an event's data, with the definitions it refers to. More members
// may come with a later version, so more are allowed, but for those of commands: a session
// refuses what it does not know.
func dataOf(t *subjects.EventType) (schema, defs object) {
	machine := declaration.Machine()
	s := object{"type": "object"}
	if t.Class == subjects.ClassEffect {
		if s = machine.EffectSchema(t.Name); s == nil {
			panic(fmt.Sprintf("schema: the machine has no effect %q of the catalogue", t.Name))
		}
		delete(s, "additionalProperties")
	} else if len(t.Data) > 0 {
		members, required := object{}, []any{}
		for _, f := range t.Data {
			if of := plain[f.Type]; of != nil {
				members[f.Name] = of()
			} else {
				members[f.Name] = declaration.SchemaOf(f.Type)
			}
			if !f.Optional {
				required = append(required, f.Name)
			}
		}
		s["properties"] = members
		if len(required) > 0 {
			s["required"] = required
		}
	}
	switch {
	case t.Type == subjects.InputType("prompt"):
		s["anyOf"] = []any{object{"required": []any{"text"}}, object{"required": []any{"content"}}}
	case t.Type == subjects.InputType("external_event"):
		delete(s, "type") // it is carried whatever it is
	case t.Class == subjects.ClassCommand:
		members, _ := s["properties"].(object)
		if members == nil {
			members = object{}
		}
		members["session_id"] = object{"type": "string"}
		s["properties"], s["additionalProperties"] = members, false
	case t.Class == subjects.ClassCommit:
		s["oneOf"] = []any{object{"required": []any{"events", "record"}}, object{"required": []any{"dataref"}}}
	}
	s["title"], s["description"] = t.Name, t.Description
	defs = object{}
	collect(s, defs)
	return s, defs
}

const local = "#/$defs/"

// collect adds every definition that v refers to, and those they refer to.
func collect(v any, defs object) {
	switch v := v.(type) {
	case object:
		if ref, ok := v["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, local)
			if _, known := defs[name]; !known {
				def := declaration.Machine().Schema(name)
				if def == nil {
					panic(fmt.Sprintf("schema: the machine has no type %q", name))
				}
				defs[name] = def
				collect(def, defs)
			}
		}
		for _, member := range v {
			collect(member, defs)
		}
	case []any:
		for _, element := range v {
			collect(element, defs)
		}
	}
}

// Files are the files of docs/schemas by name, and asyncapi.json.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for eventType, s := range Events() {
		text, err := write(s)
		if err != nil {
			return nil, err
		}
		files["schemas/"+eventType+".json"] = text
	}
	text, err := write(AsyncAPI())
	if err != nil {
		return nil, err
	}
	files["asyncapi.json"] = text
	return files, nil
}

// write is v as indented JSON, always the same for the same v.
func write(v any) ([]byte, error) {
	text, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	return append(text, '\n'), err
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
