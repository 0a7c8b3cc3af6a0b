package session

import (
	"context"
	"errors"
	"testing"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// A session that is told to end just after it was handed an action does not carry it out.
// Whoever asked is told.
func TestAnActionMeetsTheEnd(t *testing.T) {
	ns, err := subjects.NewNamespace("test", 1)
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Namespace: ns}.WithDefaults()
	s := New(&env, kv.Owner{Session: "s"})
	answer := make(chan error)
	go func() {
		h := &host{s, &running{ctx: context.Background()}}
		_, err := h.Do(context.Background(), executor.Action{ID: "a"})
		answer <- err
	}()
	ask := <-s.asks
	ctx, end := context.WithCancel(t.Context())
	end()
	if end, _ := s.round(ctx, ask); end != HandedOver {
		t.Fatalf("the session's end: %q", end)
	}
	s.leave()
	if err := <-answer; !errors.Is(err, executor.ErrRunOver) {
		t.Errorf("the action's answer: %v", err)
	}
}
