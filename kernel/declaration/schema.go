package declaration

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type object = map[string]any

// JSONSchema is a JSON Schema (2020-12) of the lines of `kalahari kernel run`: a trigger
// line at the top; outcome lines, the state, every input, signal, effect and type under
// $defs.
func (d *Declaration) JSONSchema() ([]byte, error) {
	defs := object{}
	var triggers []any
	for _, t := range d.Triggers {
		if t.Kind == Extension {
			continue // not a trigger of the reference, so not of kernel run
		}
		fields := d.objectOf(t.Fields)
		fields["description"] = t.Doc
		defs[string(t.Kind)+"."+t.Name] = fields
		line := closed(object{string(t.Kind): object{"const": t.Name}, "fields": ref(string(t.Kind) + "." + t.Name)})
		if len(t.Fields) == 0 {
			line["required"] = []string{string(t.Kind)}
		}
		triggers = append(triggers, line)
	}
	var effects []any
	for _, e := range d.Effects {
		fields := d.objectOf(e.Fields)
		fields["description"] = e.Doc + " Disposition: " + e.Disposition + "."
		defs["effect."+e.Name] = fields
		effects = append(effects, closed(object{"effect": object{"const": e.Name}, "fields": ref("effect." + e.Name)}))
	}
	for _, t := range d.Types {
		defs[t.Name] = d.typeSchema(&t)
	}
	state := d.objectOf(d.State)
	state["description"] = "Every field of the state."
	defs["state"] = state
	overlay := d.objectOf(d.State)
	overlay["description"] = "Some fields of the state, laid over the present one."
	delete(overlay, "required")
	defs["overlay"] = overlay
	defs["effect"] = object{"oneOf": effects}
	defs["outcome"] = object{"oneOf": []any{
		closed(object{
			"ok": object{"const": true}, "transition": object{"type": "string"},
			"from": ref("MeerkatPhase"), "to": ref("MeerkatPhase"),
			"effects": object{"type": "array", "items": ref("effect")}, "changed": ref("overlay"),
		}, "effects", "changed"),
		closed(object{
			"ok": object{"const": false}, "rejected": object{"const": true},
			"kind": object{"enum": []string{"GuardRejected", "NoMatchingTransition"}},
			"guards": object{"type": "array", "items": closed(object{
				"transition": object{"type": "string"}, "guard": object{"type": "string"},
			})},
		}, "guards"),
		closed(object{"reset": object{"const": true}}),
		closed(object{"state": object{"const": true}}),
		closed(object{"error": object{"type": "string"}}),
	}}
	triggers = append(triggers,
		closed(object{"reset": object{"const": true}}),
		closed(object{"state": ref("overlay")}))
	schema := object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "kalahari kernel run",
		"description": "One trigger line; $defs/outcome is one outcome line.",
		"oneOf":       triggers,
		"$defs":       defs,
	}
	return json.Marshal(schema, json.Deterministic(true), jsontext.WithIndent("  "))
}

// EffectSchema is the schema of an effect's fields, nil if there is no such effect. What it
// refers to are [Declaration.Schema]s under $defs.
func (d *Declaration) EffectSchema(name string) map[string]any {
	for _, e := range d.Effects {
		if e.Name == name {
			return d.objectOf(e.Fields)
		}
	}
	return nil
}

// Schema is the schema of a type of the machine, nil if there is none of that name.
func (d *Declaration) Schema(name string) map[string]any {
	for i := range d.Types {
		if d.Types[i].Name == name {
			return d.typeSchema(&d.Types[i])
		}
	}
	return nil
}

// SchemaOf is the schema of a type in the chapters' notation: a reference to
// #/$defs/<name> where it is one of the machine's own.
func SchemaOf(notation string) map[string]any { return schemaOf(notation) }

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// closed is an object with exactly the given members, all required but the optional ones.
func closed(members object, optional ...string) object {
	var required []string
	for name := range members {
		if !slices.Contains(optional, name) {
			required = append(required, name)
		}
	}
	slices.Sort(required)
	return object{"type": "object", "properties": members, "required": required, "additionalProperties": false}
}

func (d *Declaration) objectOf(fields []Field) object {
	members := object{}
	for _, f := range fields {
		s := schemaOf(f.Type)
		if f.Doc != "" {
			s["description"] = f.Doc
		}
		members[f.Name] = s
	}
	o := closed(members)
	if len(fields) == 0 {
		delete(o, "required")
	}
	return o
}

func (d *Declaration) typeSchema(t *Type) object {
	var o object
	switch t.Kind {
	case "enum":
		o = object{"enum": t.Variants}
	case "record":
		o = d.objectOf(t.Fields)
	case "newtype":
		switch t.Of {
		case "string":
			o = object{"type": "string"}
		case "bytes32":
			o = object{"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
		default:
			o = schemaOf(t.Of)
		}
	default:
		o = unions[t.Name]()
	}
	if t.Doc != "" {
		o["description"] = t.Doc
	}
	return o
}

// unions are the schemas of the two types whose JSON is written by hand.
var unions = map[string]func() object{
	"ToolFilter": func() object {
		return object{"oneOf": []any{
			object{"const": "All"},
			closed(object{"Allow": schemaOf("Set<ToolName>")}),
			closed(object{"Deny": schemaOf("Set<ToolName>")}),
		}}
	},
	"OpTerminalPayload": func() object {
		reason, optional := closed(object{"reason": schemaOf("String")}), closed(object{"reason": schemaOf("Option<String>")})
		return object{"oneOf": []any{
			object{"const": "Retired"},
			closed(object{"Completed": ref("OperationResult")}),
			closed(object{"Failed": closed(object{"error": schemaOf("String")})}),
			closed(object{"Aborted": optional}),
			closed(object{"Cancelled": optional}),
			closed(object{"Terminated": reason}),
		}}
	},
}

// Notation is a type of the chapters taken apart: Option, Set, Seq and Map have elements.
func Notation(typ string) (head string, elements []string) {
	head, rest, ok := strings.Cut(typ, "<")
	if !ok {
		return typ, nil
	}
	rest = strings.TrimSuffix(rest, ">")
	if head == "Map" {
		key, value, _ := strings.Cut(rest, ", ")
		return head, []string{key, value}
	}
	return head, []string{rest}
}

func schemaOf(typ string) object {
	head, elements := Notation(typ)
	switch head {
	case "String", "string":
		return object{"type": "string"}
	case "bool":
		return object{"type": "boolean"}
	case "u64":
		return object{"type": "integer", "minimum": 0, "maximum": uint64(1<<64 - 1)}
	case "Option":
		return object{"oneOf": []any{object{"type": "null"}, schemaOf(elements[0])}}
	case "Set":
		return object{"type": "array", "items": schemaOf(elements[0]), "uniqueItems": true}
	case "Seq":
		return object{"type": "array", "items": schemaOf(elements[0])}
	case "Map":
		return object{"type": "object", "additionalProperties": schemaOf(elements[1])}
	}
	return ref(head)
}
