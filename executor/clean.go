package executor

import (
	"encoding"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// maxMessage bounds the text of an error, which often quotes what some other service said.
const maxMessage = 4 << 10

// maxDigest bounds a conversation's digest, of which a session keeps a hundred.
const maxDigest = 256

// clean makes what an executor returned fit to stand in a commit: text is UTF-8, error
// messages have a length that events have room for, and JSON is JSON that can be read
// back.
func clean(res *Result, err error) (*Result, error) {
	if err != nil {
		return res, cleanError(err)
	}
	res.Text = strings.ToValidUTF8(res.Text, "\uFFFD")
	res.ToolName = strings.ToValidUTF8(res.ToolName, "\uFFFD")
	res.ConversationDigest = subjects.Clip(res.ConversationDigest, maxDigest)
	for _, v := range []struct {
		name  string
		value jsontext.Value
	}{{"content", res.Content}, {"tool arguments", res.ToolArgs}} {
		if v.value == nil {
			continue
		}
		if subjects.TooDeep(v.value) || !v.value.IsValid() {
			return nil, &ApplyError{
				Cause:   kernel.RuntimeApplyFailureCauseExecutorInternal,
				Message: fmt.Sprintf("executor returned %s that are no JSON of at most %d levels", v.name, subjects.MaxDepth),
			}
		}
	}
	return res, nil
}

// cleanError does the same for an error. One that says by no defined variant what it is counts
// as any other, and its message tells the number.
func cleanError(err error) error {
	text := func(s string) string { return subjects.Clip(s, maxMessage) }
	var apply *ApplyError
	var terminal *TerminalError
	switch clean := text(err.Error()); {
	case errors.Is(err, ErrCancelled):
		return err
	case errors.As(err, &terminal):
		if !defined(terminal.Source) {
			return &ApplyError{Cause: kernel.RuntimeApplyFailureCauseExecutorInternal, Message: clean}
		}
		return &TerminalError{Source: terminal.Source, Message: text(terminal.Message)}
	case errors.As(err, &apply):
		if !defined(apply.Cause) {
			return &ApplyError{Cause: kernel.RuntimeApplyFailureCauseExecutorInternal, Message: clean}
		}
		return &ApplyError{Cause: apply.Cause, Message: text(apply.Message)}
	case clean != err.Error():
		return errors.New(clean)
	}
	return err
}

func defined(variant encoding.TextMarshaler) bool {
	_, err := variant.MarshalText()
	return err == nil
}
