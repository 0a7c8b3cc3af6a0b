package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// preferred is how long the client prefers to wait: `Prefer: wait=30` (RFC 7240), and
// MaxWait at most. As the RFC has it only the first one counts, and one that cannot be
// honoured is ignored: no Preference-Applied says so.
func (g *Gateway) preferred(r *http.Request) time.Duration {
	for _, line := range r.Header.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			preference, _, _ = strings.Cut(preference, ";") // its parameters
			name, value, _ := strings.Cut(preference, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			seconds, err := strconv.ParseFloat(strings.Trim(strings.TrimSpace(value), `"`), 64)
			if err != nil || !(seconds > 0) { // NaN is not
				return 0
			}
			return time.Duration(min(seconds, g.cfg.MaxWait.Seconds()) * float64(time.Second))
		}
	}
	return 0
}

// applied says that the client's wait was honoured, and how long it was at most.
func applied(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Preference-Applied", "wait="+strconv.FormatFloat(wait.Seconds(), 'f', -1, 64))
}
