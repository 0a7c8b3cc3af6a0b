package session

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// The headers of a dead letter, beside [subjects.HeaderReason].
const (
	headerSubject  = "Kalahari-Subject"
	headerSequence = "Kalahari-Sequence"
	headerLeftOut  = "Kalahari-Left-Out" // how many headers did not fit
)

// maxDeadHeader is what the headers of a dead letter may take. JetStream stores 64 KiB; a
// message that had almost as much leaves no room for ours, and one that could never be
// filed would hold its session up for ever.
const maxDeadHeader = 60 << 10

// DeadLetter is a mailbox message as it is filed under DEAD: as it was, but for headers
// that mean something to the server, with the reason and where it stood.
func DeadLetter(ns subjects.Namespace, session string, from *nats.Msg, seq uint64, reason string) *nats.Msg {
	line := strings.NewReplacer("\r", " ", "\n", " ")
	h := nats.Header{
		subjects.HeaderReason: {line.Replace(subjects.Clip(reason, subjects.MaxReason))},
		headerSubject:         {from.Subject},
		headerSequence:        {strconv.FormatUint(seq, 10)},
	}
	size, leftOut := 4*subjects.MaxReason, 0
	for _, name := range slices.Sorted(maps.Keys(from.Header)) {
		if _, ours := h[name]; ours || strings.HasPrefix(strings.ToLower(name), "nats-") {
			continue
		}
		n := 0
		for _, value := range from.Header[name] {
			n += len(name) + len(value) + len(": \r\n")
		}
		if size+n > maxDeadHeader {
			leftOut++
			continue
		}
		h[name] = from.Header[name]
		size += n
	}
	if leftOut > 0 {
		h[headerLeftOut] = []string{strconv.Itoa(leftOut)}
	}
	return &nats.Msg{Subject: ns.Dead(session), Header: h, Data: from.Data}
}
