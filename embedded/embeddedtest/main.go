package embeddedtest

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server/ats"
	"go.uber.org/goleak"
)

// Main runs the tests of a package whose servers run in testing/synctest bubbles, and
// then looks for goroutines that stayed.
func Main(m *testing.M) {
	ats.Register() // its ticker must not be started inside a bubble
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"),
		// An upload of nats.go's own object store starts one that waits for ever if it
		// first runs when the upload is over already (1.55.0). Only tests upload so.
		goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"),
	)
}
