package session

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
)

// runAtOnce carries out the run that was just staged if its executor says that the call has
// no effect but its result, and reports whether it did. Nothing leaves the session by such a
// call: so it needs no stored commit behind it (PROTOCOL 3), and the commit that stages the
// run has its end too.
func (s *Session) runAtOnce(id string, attempt uint64, batch []*entry) bool {
	if _, ok := s.env.Executor.(executor.PureExecutor); !ok || s.failure != nil {
		return false
	}
	for _, e := range batch {
		if len(e.Blobs) > 0 {
			return false // they have to be read first
		}
	}
	r := &running{id: id, inputs: batch, start: s.now(), immediate: contextOnly(batch)}
	req := s.request(r, attempt)
	req.Host = nobody{}
	if !executor.IsPure(s.env.Executor, req) {
		return false
	}
	ctx, traced := s.traceRun(context.Background(), id, attempt, batch)
	f := finished{run: r}
	f.result, f.err = executor.Call(ctx, s.env.Executor, req)
	traced(f.err)
	if f.err == nil {
		f.output.value = outputOf(f.result)
	}
	if len(f.output.value) > subjects.MaxInlineData {
		return false // it has to be stored first: called again, beside the session's work
	}
	s.settle(f)
	return true
}

// nobody is the host of a run that is carried out while the session waits for it.
type nobody struct{}

func (nobody) Do(context.Context, executor.Action) (jsontext.Value, error) {
	return nil, errors.New("a pure call cannot act on its session; it may return actions with its result")
}
