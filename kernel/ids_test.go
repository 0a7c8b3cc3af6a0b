package kernel

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json"
)

// However far apart it is used, an id is written once, and each use is its number.
func TestIDsAreWrittenOnce(t *testing.T) {
	var ids IDs
	for round := range 2 {
		const many = 5 * recentIDs
		for again := range 3 {
			for i := range many {
				id := fmt.Sprintf("round-%d-%d", round, i)
				if got, want := string(ids.Append(nil, id)), fmt.Sprint(i); got != want {
					t.Fatalf("%s, the time %d: %s, not %s", id, again, got, want)
				}
			}
		}
		var all []string
		if err := json.Unmarshal(ids.AppendAll(nil), &all); err != nil || len(all) != many || ids.Len() != many {
			t.Errorf("%d ids are %d: %q, %v", many, ids.Len(), all, err)
		}
		ids.Reset()
	}
	if got := string(ids.Append(nil, "short")); got != `"short"` || ids.Len() != 0 {
		t.Errorf("what is no id: %s, and %d ids", got, ids.Len())
	}
}
