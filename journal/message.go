package journal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Message is one commit as it stands in the log. Its headers carry what the chain needs,
// so that it can be checked without reading the body.
type Message struct {
	// Sequence is the stream sequence.
	Sequence uint64
	ID       string
	Number   uint64
	Fence    uint64
	// Prev is the stream sequence of the predecessor on the session's subject.
	Prev uint64
	Time time.Time
	Data []byte
}

// commitID makes the id of a commit, by which a writer knows its own in the log.
func commitID(fence uint64, worker string, try uint64) string {
	return strconv.FormatUint(fence, 10) + ":" + worker + ":" + strconv.FormatUint(try, 10)
}

// Worker is who wrote the commit, "" if its id does not tell.
func (m *Message) Worker() string {
	_, rest, _ := strings.Cut(m.ID, ":")
	if end := strings.LastIndexByte(rest, ':'); end >= 0 {
		return rest[:end]
	}
	return ""
}

func parseMessage(session string, raw *jetstream.RawStreamMsg) (*Message, error) {
	m := &Message{Sequence: raw.Sequence, ID: raw.Header.Get(subjects.HeaderCommitID), Time: raw.Time, Data: raw.Data}
	for _, h := range []struct {
		name string
		into *uint64
	}{{subjects.HeaderCommit, &m.Number}, {subjects.HeaderFence, &m.Fence}, {subjects.HeaderPrev, &m.Prev}} {
		v, err := strconv.ParseUint(raw.Header.Get(h.name), 10, 64)
		if err != nil {
			return nil, &BrokenError{session, raw.Sequence, fmt.Sprintf("header %s: %v", h.name, err)}
		}
		*h.into = v
	}
	if m.ID == "" {
		return nil, &BrokenError{session, raw.Sequence, "header " + subjects.HeaderCommitID + " is missing"}
	}
	return m, nil
}

func parseDelivery(session string, msg jetstream.Msg) (*Message, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, err
	}
	return parseMessage(session, &jetstream.RawStreamMsg{
		Sequence: meta.Sequence.Stream, Header: msg.Headers(), Data: msg.Data(), Time: meta.Timestamp,
	})
}

// addTo adds the headers of an append behind m.Prev to those of the caller.
func (m *Message) addTo(h nats.Header) nats.Header {
	if h == nil {
		h = nats.Header{}
	}
	prev := strconv.FormatUint(m.Prev, 10)
	v := [...]string{m.ID, strconv.FormatUint(m.Number, 10), strconv.FormatUint(m.Fence, 10), prev}
	h[subjects.HeaderCommitID] = v[0:1:1]
	h[subjects.HeaderCommit] = v[1:2:2]
	h[subjects.HeaderFence] = v[2:3:3]
	h[subjects.HeaderPrev] = v[3:4:4]
	h[jetstream.ExpectedLastSubjSeqHeader] = v[3:4:4]
	return h
}
