package simulation

import "strings"

// class is what a message is for: faults are dealt out by class, so that a seed can hit
// the rare messages that matter as often as the many that do not.
type class string

const (
	protocol class = "protocol" // no message: pings, subscriptions; never lost by itself
	other    class = "other"
)

// bySubject finds the class of what a client publishes. The first that matches wins.
var bySubject = []struct {
	class class
	match func(subject string) bool
}{
	{"ack", starts("$JS.ACK.")},
	{"owner", starts("$KV.kalahari_test_owners.")},
	{"lease", starts("$KV.kalahari_test_workers.")},
	{"snapshot", starts("$KV.kalahari_test_snapshots.")},
	{"blob", starts("$O.kalahari_test_blobs.M.")},
	{"chunk", starts("$O.kalahari_test_blobs.C.")},
	{"blob-read", starts("$JS.API.STREAM.MSG.GET.OBJ_kalahari_test_blobs")},
	{"owner-read", starts("$JS.API.STREAM.MSG.GET.KV_kalahari_test_owners")},
	{"lease-read", starts("$JS.API.STREAM.MSG.GET.KV_kalahari_test_workers")},
	{"mailbox-read", starts("$JS.API.STREAM.MSG.GET.KALAHARI_test_IN")},
	{"read", starts("$JS.API.STREAM.MSG.GET.")},
	{"purge", starts("$JS.API.STREAM.PURGE.")},
	{"purge", starts("$JS.API.STREAM.MSG.DELETE.")}, // of a few messages
	{"consumer", starts("$JS.API.CONSUMER.CREATE.")},
	{"pull", starts("$JS.API.CONSUMER.MSG.NEXT.")},
	{"api", starts("$JS.API.")},
	{"probe", both(starts("kalahari.test.worker."), ends(".probe"))},
	{"commit", token(3, "log")},
	{"input", token(3, "in")},
	{"input", token(3, "ctl")},
	{"fx", token(3, "fx")},
	{"timer", token(3, "timer")},
	{"dead", token(3, "dead")},
	{"signal", starts("kalahari.test.mob.")},
	{"query", starts("kalahari.test.q.")},
	{"query", both(starts("kalahari.test.worker."), ends(".control"))}, // passed on to the owner
}

func starts(with string) func(string) bool {
	return func(s string) bool { return strings.HasPrefix(s, with) }
}

func ends(with string) func(string) bool {
	return func(s string) bool { return strings.HasSuffix(s, with) }
}

func both(a, b func(string) bool) func(string) bool {
	return func(s string) bool { return a(s) && b(s) }
}

// token matches kalahari.test.<shard>.<word>....
func token(n int, word string) func(string) bool {
	return func(s string) bool {
		all := strings.SplitN(s, ".", n+2)
		return len(all) > n && all[0] == "kalahari" && all[n] == word
	}
}

// published is the class of a message a client publishes.
func (f *frame) published() class {
	if f.subject == "" {
		return protocol
	}
	for _, c := range bySubject {
		if c.match(f.subject) {
			return c.class
		}
	}
	return other
}

// delivered is the class of a message the server sends to a client. asked knows the class
// of the request that a reply subject belongs to.
func (f *frame) delivered(asked func(subject string) (class, bool)) class {
	if f.subject == "" {
		return protocol
	}
	if c, ok := asked(f.subject); ok {
		return c + "-answer"
	}
	switch {
	case strings.HasPrefix(f.subject, "$KV."):
		return "watch"
	case strings.HasPrefix(f.reply, "$JS.ACK."):
		return "delivery"
	}
	return other
}
