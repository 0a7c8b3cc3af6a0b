package session

import (
	"testing"

	"github.com/kalahari-run/kalahari/subjects"
)

// Every command of the catalogue is carried out or answered, and nothing else is.
func TestEveryCommandHasOneWhoCarriesItOut(t *testing.T) {
	left := map[string]bool{}
	for name := range handlers {
		left[name] = true
	}
	for _, e := range subjects.Catalogue() {
		if e.Class != subjects.ClassCommand {
			continue
		}
		name := subjects.Snake(e.Name)
		_, handled := handlers[name]
		_, answered := questions[name]
		if handled == e.ReadOnly || answered != e.ReadOnly {
			t.Errorf("%s: read-only %t, handler %t, question %t", name, e.ReadOnly, handled, answered)
		}
		delete(left, name)
	}
	for name := range left {
		t.Errorf("%s is not in the catalogue", name)
	}
}
