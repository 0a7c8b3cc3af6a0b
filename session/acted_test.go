package session

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// Few answers may be too much as well, and the next run begins anew.
func TestLargeAnswersAreBounded(t *testing.T) {
	s := &Session{ledger: newLedger()}
	large := answered{Report: jsontext.Value(`"` + strings.Repeat("x", maxActedBytes/4) + `"`)}
	for _, id := range []string{"a", "b", "c"} {
		s.change(func(d *delta) { d.Acted = append(d.Acted, actedKey{id, large}) })
	}
	if s.actedOut() {
		t.Error("there is room for one more")
	}
	s.change(func(d *delta) { d.Acted = append(d.Acted, actedKey{"d", large}) })
	if !s.actedOut() {
		t.Errorf("%d bytes and more are kept", s.ledger.actedBytes)
	}
	// The next owner counts the same.
	kept := mustJSON(state{Version: stateVersion, Ledger: s.ledger, Kernel: nothing(t)})
	var f folded
	if err := f.restore("s", kv.Snapshot{Data: kept}); err != nil {
		t.Fatal(err)
	}
	if f.ledger.actedBytes != s.ledger.actedBytes {
		t.Errorf("%d bytes, %d by the snapshot", s.ledger.actedBytes, f.ledger.actedBytes)
	}
	s.change(func(d *delta) { d.RunOver = true })
	if s.actedOut() {
		t.Error("the run is over")
	}
}

func nothing(t *testing.T) []byte {
	t.Helper()
	state, err := kernel.EncodeState(kernel.New().State())
	if err != nil {
		t.Fatal(err)
	}
	return state
}
