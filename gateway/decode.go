package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/oklog/ulid/v2"

	"github.com/kalahari-run/kalahari/subjects"
)

// source is the source of events that are made here.
const source = "/gateway"

// decode reads the event of a request. A JSON body without any ce- header is the data of
// a prompt: {"text":"hello"} is enough.
func decode(r *http.Request, media string, body []byte) (event.Event, error) {
	var ev event.Event
	var err error
	if media == "application/json" && !hasAttributes(r.Header) {
		ev = event.New()
		ev.SetID(ulid.Make().String())
		ev.SetSource(source)
		ev.SetType(subjects.InputType("prompt"))
		if !jsontext.Value(body).IsValid() {
			return ev, &subjects.DecodeError{Attribute: "data", Reason: "is not JSON"}
		}
		err = ev.SetData(event.ApplicationJSON, body)
	} else {
		ev, err = subjects.Decode(readableTrace(r.Header), body)
	}
	if err != nil {
		return ev, err
	}
	trace(&ev, r)
	return ev, nil
}

func hasAttributes(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(strings.ToLower(name), "ce-") {
			return true
		}
	}
	return false
}

// check refuses what every session would refuse, or could not even answer, and its producer
// can put right. An event of a foreign type is carried unchanged, whatever it is.
//
// A command that nobody knows passes: the session answers it with CommandRejected.
func check(session string, ev *event.Event) error {
	if !subjects.Reserved(ev.Type()) {
		return nil
	}
	kind, input := subjects.ParseInputType(ev.Type())
	command, _ := subjects.CommandName(ev.Type())
	refuse := func(attribute, format string, args ...any) error {
		return &subjects.DecodeError{Attribute: attribute, Reason: fmt.Sprintf(format, args...)}
	}
	switch data := jsontext.Value(ev.Data()); {
	case !input && command == "":
		return refuse("type", "%q is no input and no command, and the prefix %s is reserved for those", ev.Type(), subjects.TypePrefix)
	case ev.Subject() != "" && ev.Subject() != session:
		return refuse("subject", "%q is not the session %q", ev.Subject(), session)
	case !input, len(data) == 0 && ev.Extensions()[subjects.ExtDataRef] != nil:
		return nil
	case len(data) == 0 && kind == "prompt":
		return refuse("data", "is missing")
	case len(data) == 0:
		return nil
	case !data.IsValid():
		return refuse("data", "is not JSON")
	case data.Kind() != '{':
		return refuse("data", "is not a JSON object")
	}
	return nil
}
