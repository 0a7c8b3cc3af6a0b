package session

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// registryQuestions are the read-only commands about a session's registration, its phase
// and its inputs (chapter 01, command table). They are queries too.
var registryQuestions = map[string]question{
	"contains_session": aboutRegistration("contains", func(st *kernel.State) bool { return st.SessionID.IsSome() }),
	"session_has_executor": aboutRegistration("has_executor", func(st *kernel.State) bool {
		return st.RegistrationPhase == kernel.RegistrationPhaseActive
	}),
	"session_has_comms": aboutRegistration("has_comms", func(st *kernel.State) bool {
		return st.PeerIngressOwnerKind != kernel.PeerIngressOwnerKindUnattached
	}),
	"runtime_state":      runtimeStateQuestion,
	"input_state":        inputStateQuestion,
	"list_active_inputs": activeInputsQuestion,
}

func aboutRegistration(name string, holds func(*kernel.State) bool) question {
	return func(v *View, args jsontext.Value) (any, error) {
		var arg sessionArg
		if err := ReadArgs(args, &arg); err != nil {
			return nil, err
		}
		return map[string]bool{name: holds(v.s.kernel.State())}, arg.check(v.s.id)
	}
}

// Absent answers a question about a session that does not exist. Some have an answer all
// the same: it is not there.
func Absent(name string) ([]byte, error) {
	field, ok := map[string]string{
		"contains_session": "contains", "session_has_executor": "has_executor", "session_has_comms": "has_comms",
	}[name]
	if !ok {
		return nil, ErrNoSession
	}
	return json.Marshal(map[string]bool{field: false})
}

// runtimeStateQuestion answers with the phase to show, which the machine's own rule picks:
// a retired session that works off its queue reads Retired (chapter 01, published phase).
// There is no projection here that could run behind the machine.
func runtimeStateQuestion(v *View, args jsontext.Value) (any, error) {
	var arg struct {
		sessionArg
		RuntimeID *string `json:"runtime_id"`
	}
	if err := ReadArgs(args, &arg); err != nil {
		return nil, err
	}
	if err := arg.check(v.s.id); err != nil {
		return nil, err
	}
	st := v.s.kernel.State()
	if st.SessionID.IsNone() || arg.RuntimeID != nil && *arg.RuntimeID != v.s.runtimeID() {
		return nil, errNoRuntime
	}
	raw := observed[kernel.RuntimeLifecycleObservedState](v.s, st.LifecyclePhase.String())
	ask := &kernel.ResolveVisibleRuntimePhase{DslPhase: raw, ControlPhase: raw, HasRuntimePersistence: true}
	if before, ok := st.PreRunPhase.Get(); ok {
		phase := kernel.Some(observed[kernel.RuntimeLifecycleObservedState](v.s, before.String()))
		ask.DslPreRunPhase, ask.ControlPreRunPhase = phase, phase
	}
	scratch := kernel.New()
	scratch.Apply(&kernel.Initialize{})
	resolved := scratch.Apply(ask).Effects[0].(kernel.VisibleRuntimePhaseResolved)
	return map[string]string{
		"runtime_id": v.s.runtimeID(), "runtime_state": resolved.VisiblePhase.String(), "raw_phase": resolved.SelectedRawPhase.String(),
	}, nil
}

func inputStateQuestion(v *View, args jsontext.Value) (any, error) {
	var arg struct {
		sessionArg
		InputID string `json:"input_id"`
	}
	if err := ReadArgs(args, &arg); err != nil {
		return nil, err
	}
	if err := arg.check(v.s.id); err != nil {
		return nil, err
	}
	if arg.InputID == "" {
		return nil, BadRequest("input_id: is missing")
	}
	if v.s.kernel.State().SessionID.IsNone() {
		return nil, errNotRegistered
	}
	report, err := v.Input(arg.InputID)
	switch {
	case errors.Is(err, ErrUnknown):
		return map[string]any{"input": nil}, nil
	case err != nil:
		return nil, err
	}
	return map[string]any{"input": report}, nil
}

func activeInputsQuestion(v *View, args jsontext.Value) (any, error) {
	var arg sessionArg
	if err := ReadArgs(args, &arg); err != nil {
		return nil, err
	}
	if err := arg.check(v.s.id); err != nil {
		return nil, err
	}
	if v.s.kernel.State().SessionID.IsNone() {
		return nil, errNotRegistered
	}
	ids := []string{}
	for _, e := range v.s.live() {
		ids = append(ids, e.ID)
	}
	return ActiveInputsReport{InputIDs: ids}, nil
}
