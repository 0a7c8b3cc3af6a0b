package cli_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/cmd/kalahari/internal/cli"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
)

// A server that does not take what a session may have to store is found out before one has to.
func TestDoctorComparesMaxPayload(t *testing.T) {
	for most, says := range map[int32]string{320 << 10: "max_payload FAIL", 1 << 20: "workers"} {
		env := embeddedtest.Provisioned(t, "default", 1, embeddedtest.Listening(), embeddedtest.With(func(o *embedded.Options) { o.MaxPayload = most }))
		host(t, env)
		out, err := output(t, cli.Doctor{Target: at(env)}, false)
		if !strings.Contains(strings.Join(strings.Fields(out), " "), says) || strings.Contains(out, "max_payload") != (most < 1<<20) {
			t.Errorf("with %d bytes:\n%s", most, out)
		}
		if most < 1<<20 && !errors.Is(err, cli.ErrSaid) {
			t.Errorf("with %d bytes: %v", most, err)
		}
	}
}
