package executor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// maxMessage bounds the text of an error, which often quotes what some other service said.
const maxMessage = 4 << 10

// clean makes what an executor returned fit to stand in a commit: text is UTF-8, error
// messages have a length that events have room for, and JSON is JSON that can be read
// back.
func clean(res *Result, err error) (*Result, error) {
	if err != nil {
		return res, cleanError(err)
	}
	res.Text = strings.ToValidUTF8(res.Text, "\uFFFD")
	res.ToolName = strings.ToValidUTF8(res.ToolName, "\uFFFD")
	res.ConversationDigest = strings.ToValidUTF8(res.ConversationDigest, "\uFFFD")
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

func cleanError(err error) error {
	text := func(s string) string { return subjects.Clip(s, maxMessage) }
	var apply *ApplyError
	var terminal *TerminalError
	switch clean := text(err.Error()); {
	case errors.Is(err, ErrCancelled):
		return err
	case errors.As(err, &terminal):
		return &TerminalError{Source: terminal.Source, Message: text(terminal.Message)}
	case errors.As(err, &apply):
		return &ApplyError{Cause: apply.Cause, Message: text(apply.Message)}
	case clean != err.Error():
		return errors.New(clean)
	}
	return err
}
