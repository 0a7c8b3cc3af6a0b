package simulation

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// frame is one message of the NATS client protocol.
type frame struct {
	raw  []byte
	verb string
	// Of those that carry a payload:
	subject, reply string
}

// payload are the verbs with a payload, and how many words their line has without a reply.
var payload = map[string]int{"PUB": 3, "HPUB": 4, "MSG": 4, "HMSG": 5}

// readFrame reads one protocol message.
func readFrame(r *bufio.Reader) (*frame, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	f := &frame{raw: line}
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return nil, fmt.Errorf("an empty line in the client protocol")
	}
	f.verb = words[0]
	fixed := payload[f.verb]
	if fixed == 0 {
		return f, nil
	}
	size, err := strconv.Atoi(words[len(words)-1])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", words, err)
	}
	f.subject = words[1]
	if len(words) > fixed {
		f.reply = words[2]
		if strings.HasSuffix(f.verb, "MSG") {
			f.reply = words[3] // behind the subscription's number
		}
	}
	body := make([]byte, size+2)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	f.raw = append(line, body...)
	return f, nil
}
