package gateway

import (
	"net/http"
	"time"
)

// answerPart is how much of an answer is sent under one deadline.
const answerPart = 256 << 10

// hurriedWriter cuts off a client that does not read its answer: without a deadline the
// write blocks for as long as the connection stands, and holds all of the answer. Each part
// has its own time, so that a large answer may take long as long as it gets on.
type hurriedWriter struct {
	http.ResponseWriter
	limit time.Duration
	body  time.Time // until then the server may read what is left of the body, before it sends a head
	own   bool      // the handler sets deadlines itself, as streams do
}

// Unwrap lets [http.ResponseController], and whoever hijacks, find the writer below.
func (h *hurriedWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// SetWriteDeadline is the handler's: from then on it is in charge.
func (h *hurriedWriter) SetWriteDeadline(t time.Time) error {
	h.own = true
	return http.NewResponseController(h.ResponseWriter).SetWriteDeadline(t)
}

func (h *hurriedWriter) WriteHeader(status int) {
	h.hurry()
	h.ResponseWriter.WriteHeader(status)
}

func (h *hurriedWriter) Write(body []byte) (int, error) {
	for written := 0; ; {
		h.hurry()
		n, err := h.ResponseWriter.Write(body[written:min(len(body), written+answerPart)])
		if written += n; err != nil || written == len(body) {
			return written, err
		}
	}
}

// hurry gives what is written next its time. The deadline stays when all is written: the
// server sends the tail when the handler has returned.
func (h *hurriedWriter) hurry() {
	if h.own {
		return
	}
	from := time.Now()
	if from.Before(h.body) {
		from = h.body
	}
	_ = http.NewResponseController(h.ResponseWriter).SetWriteDeadline(from.Add(h.limit)) // not every writer can
}
