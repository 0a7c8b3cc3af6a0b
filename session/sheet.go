package session

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// sheet is a message that is written on again and again. Messages of one kind have the same
// headers with other values, and a map of a dozen names costs more to make than all else
// about a message.
type sheet struct {
	msg    nats.Msg
	names  []string
	values []string // of the headers: msg has one of these for each name
	given  []string // the values of optional headers, before they were encoded
}

// newSheet returns a sheet for messages with the given headers. The optional ones are left
// out as long as they are empty.
func newSheet(names, optional []string) *sheet {
	s := &sheet{names: append(names, optional...), msg: nats.Msg{Header: make(nats.Header, len(names)+len(optional))}}
	s.values, s.given = make([]string, len(s.names)), make([]string, len(s.names))
	for i := range names {
		s.show(i)
	}
	return s
}

func (s *sheet) show(i int) { s.msg.Header[s.names[i]] = s.values[i : i+1 : i+1] }

// set writes the header whose name is the ith.
func (s *sheet) set(i int, value string) { s.values[i] = value }

// extension writes an optional header, an attribute whose text is the producer's. It is often
// the same as on the message before.
func (s *sheet) extension(i int, value string) {
	switch was := s.given[i]; {
	case value == was:
		return
	case value == "":
		delete(s.msg.Header, s.names[i])
	case was == "":
		s.show(i)
	}
	s.given[i], s.values[i] = value, subjects.HeaderValue(value)
}

// The headers of an event, by their places on a sheet.
const (
	eventMsgID = iota
	eventSpecVersion
	eventID
	eventSource
	eventType
	eventSubject
	eventTime
	eventContentType
	eventFence
	eventCause
	eventCorrelation
	eventTraceParent
	eventTraceState
	eventSequence
)

var eventSheets = sync.Pool{New: func() any {
	s := newSheet([]string{
		eventMsgID: nats.MsgIdHdr, eventSpecVersion: "ce-specversion", eventID: "ce-id", eventSource: "ce-source",
		eventType: "ce-type", eventSubject: "ce-subject", eventTime: "ce-time",
		eventContentType: "ce-datacontenttype", eventFence: "ce-" + subjects.ExtFence,
	}, []string{
		"ce-" + subjects.ExtCausationID, "ce-" + subjects.ExtCorrelationID,
		"ce-" + subjects.ExtTraceParent, "ce-" + subjects.ExtTraceState, "ce-" + subjects.ExtSequence,
	})
	s.set(eventSpecVersion, "1.0")
	s.set(eventContentType, "application/json")
	return s
}}

// The headers of a commit, by their places on a sheet. The journal adds its own.
const (
	commitSpecVersion = iota
	commitID
	commitSource
	commitType
	commitSubject
	commitTime
	commitContentType
	commitFence
)

var commitSheets = sync.Pool{New: func() any {
	s := newSheet([]string{
		commitSpecVersion: "ce-specversion", commitID: "ce-id", commitSource: "ce-source", commitType: "ce-type",
		commitSubject: "ce-subject", commitTime: "ce-time", commitContentType: "ce-datacontenttype",
		commitFence: "ce-" + subjects.ExtFence,
	}, nil)
	s.set(commitSpecVersion, "1.0")
	s.set(commitType, subjects.CommitType)
	s.set(commitContentType, "application/json")
	return s
}}
