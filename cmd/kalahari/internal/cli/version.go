package cli

import (
	"runtime"

	"github.com/kalahari-run/kalahari/cmd/internal/service"
)

// Version is the command version.
type Version struct{}

// Run prints it.
func (Version) Run(e *Env) error {
	if e.JSON {
		return e.print(map[string]string{"version": service.Version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
	}
	return e.say("kalahari %s (%s %s/%s)", service.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
