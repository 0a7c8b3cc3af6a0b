package schema

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/kernel/declaration"
	"github.com/kalahari-run/kalahari/subjects"
)

// What lies in docs is what this package makes, no more and no less.
func TestTheDocsAreFresh(t *testing.T) {
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	const docs = "../../docs"
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(docs, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (%v): go generate ./subjects/...", name, err)
		}
	}
	there, err := os.ReadDir(filepath.Join(docs, "schemas"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if files["schemas/"+f.Name()] == nil {
			t.Errorf("schemas/%s is of no event type", f.Name())
		}
	}
}

// Where catalogue and machine both tell an effect's fields they agree.
func TestTheCatalogueNamesTheMachinesFields(t *testing.T) {
	declared := map[string][]string{}
	for _, e := range declaration.Machine().Effects {
		for _, f := range e.Fields {
			declared[e.Name] = append(declared[e.Name], f.Name)
		}
	}
	for _, e := range subjects.Catalogue() {
		if e.Class != subjects.ClassEffect || len(e.Data) == 0 {
			continue
		}
		var named []string
		for _, f := range e.Data {
			named = append(named, f.Name)
		}
		if !slices.Equal(slices.Sorted(slices.Values(named)), slices.Sorted(slices.Values(declared[e.Name]))) {
			t.Errorf("%s: the catalogue has %v, the machine %v", e.Name, named, declared[e.Name])
		}
	}
}

// Every event type travels on a channel, and every reference leads somewhere.
func TestTheDocumentIsWhole(t *testing.T) {
	document := AsyncAPI()
	components := document["components"].(object)
	var references []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				references = append(references, ref)
			}
			for _, m := range v {
				walk(m)
			}
		case []any:
			for _, m := range v {
				walk(m)
			}
		}
	}
	walk(document)
	for _, ref := range references {
		var at any = document
		for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			at = at.(object)[step]
		}
		if at == nil {
			t.Errorf("nothing at %s", ref)
		}
	}
	for _, e := range subjects.Catalogue() {
		if components["messages"].(object)[e.Type] == nil || !slices.ContainsFunc(references, func(r string) bool {
			return strings.HasPrefix(r, "#/channels/") && strings.HasSuffix(r, "/"+e.Type)
		}) {
			t.Errorf("%s is on no channel", e.Type)
		}
	}
}
