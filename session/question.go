package session

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// question answers one question from a view. Arguments may be empty; the answer is
// encoded as JSON.
type question func(v *View, args jsontext.Value) (answer any, err error)

// bare is a question without arguments, but for the session it may name.
func bare[T any](answer func(*View) (T, error)) question {
	return func(v *View, args jsontext.Value) (any, error) {
		var arg sessionArg
		if err := ReadArgs(args, &arg); err != nil {
			return nil, err
		}
		if err := arg.check(v.s.id); err != nil {
			return nil, err
		}
		return answer(v)
	}
}

// QueryError is an answer to a question that has no other (WIRE, queries).
type QueryError struct {
	// Code is stable, for programs; docs/wire.md lists them.
	Code string
	// Status is the code as HTTP spells it.
	Status  string
	Message string
}

func (e *QueryError) Error() string { return e.Code + ": " + e.Message }

// kind is the code as a command's refusal spells it.
func (e *QueryError) kind() string {
	switch e.Status {
	case "404":
		return rejectNotFound
	case "400":
		return rejectInvalid
	case "409":
		return rejectNotReady
	default:
		return rejectInternal
	}
}

// The errors of queries.
var (
	ErrNoSession = &QueryError{"session_not_found", "404", "there is no such session"}
	ErrNoInput   = &QueryError{"input_not_found", "404", "the session has no such input, or has forgotten it"}
	ErrNoQuery   = &QueryError{"unknown_query", "400", "there is no such query"}

	errNoRuntime     = &QueryError{"runtime_not_found", "404", "there is no such runtime: the session is not registered"}
	errNotRegistered = &QueryError{"session_not_registered", "409", "the session is not registered"}
)

// BadRequest says that a query's arguments cannot be read.
func BadRequest(format string, args ...any) *QueryError {
	return &QueryError{"bad_request", "400", fmt.Sprintf(format, args...)}
}

// part is an answer that grows with the session and is still of use without what makes it
// large: the sessions one has to look at are those with much in them.
type part interface {
	// within is what of the answer is to fit into so many bytes.
	within(room int) any
}

// Answer puts a question by its name. Of an answer that is larger than room, in bytes, it
// leaves out what it can, and says so; what cannot be given in part comes whole.
func (v *View) Answer(name string, args []byte, room int) ([]byte, error) {
	q, ok := questions[name]
	if !ok {
		return nil, ErrNoQuery
	}
	answer, err := q(v, args)
	var field *FieldError
	switch {
	case errors.As(err, &field):
		return nil, BadRequest("%s: %s", strings.TrimPrefix(field.Field, "data."), field.Reason)
	case err != nil:
		return nil, err
	}
	data, err := json.Marshal(answer, json.Deterministic(true))
	if p, ok := answer.(part); ok && len(data) > room && err == nil {
		data, err = json.Marshal(p.within(room), json.Deterministic(true))
	}
	return data, err
}

// ReadArgs decodes a query's arguments. Unknown members are refused: a misspelt one must
// not look as if it had been heeded.
func ReadArgs(args []byte, into any) error {
	if len(args) == 0 {
		args = []byte("{}")
	}
	err := json.Unmarshal(args, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return BadRequest("arguments%s: %s", strings.ReplaceAll(string(semantic.JSONPointer), "/", "."), semanticReason(semantic))
	}
	return BadRequest("arguments: %v", err)
}

// stateQuestions are about where the session stands and about its inputs.
var stateQuestions = map[string]question{
	"state":  func(v *View, _ jsontext.Value) (any, error) { return v.State() },
	"inputs": func(v *View, _ jsontext.Value) (any, error) { return v.Inputs() },
	"input": func(v *View, args jsontext.Value) (any, error) {
		id, err := inputArg(args)
		if err != nil {
			return nil, err
		}
		report, err := v.Input(id)
		if errors.Is(err, ErrUnknown) {
			return nil, ErrNoInput
		}
		return report, err
	},
}

func inputArg(args jsontext.Value) (string, error) {
	var arg struct {
		InputID string `json:"input_id"`
	}
	if err := ReadArgs(args, &arg); err != nil {
		return "", err
	}
	if arg.InputID == "" {
		return "", BadRequest("the query needs {\"input_id\":\"...\"}")
	}
	return arg.InputID, nil
}
