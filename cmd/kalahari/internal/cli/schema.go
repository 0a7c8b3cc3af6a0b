package cli

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/subjects/schema"
)

// Schema is the commands that print what is on the wire, for other programs.
type Schema struct {
	AsyncAPI SchemaAsyncAPI `cmd:"" name:"asyncapi" help:"An AsyncAPI 3 document of all subjects and events."`
	Events   SchemaEvents   `cmd:"" help:"The JSON Schemas of the data of all event types, by type."`
}

// SchemaAsyncAPI is the command schema asyncapi.
type SchemaAsyncAPI struct{}

// Run prints the document.
func (SchemaAsyncAPI) Run(e *Env) error { return e.indented(schema.AsyncAPI()) }

// SchemaEvents is the command schema events.
type SchemaEvents struct {
	Types []string `arg:"" optional:"" name:"type" help:"Of these types only."`
}

// Run prints the schemas.
func (c SchemaEvents) Run(e *Env) error {
	all := schema.Events()
	if len(c.Types) == 0 {
		return e.indented(all)
	}
	some := map[string]any{}
	for _, name := range c.Types {
		s, ok := all[name]
		if !ok {
			return fmt.Errorf("schema events: there is no event type %q", name)
		}
		some[name] = s
	}
	return e.indented(some)
}

// indented writes v as JSON for people and files.
func (e *Env) indented(v any) error {
	text, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = e.Out.Write(append(text, '\n'))
	return err
}
