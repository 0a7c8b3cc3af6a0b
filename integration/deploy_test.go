//go:build unix

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/subjects"
)

// The configurations that we ship are valid, and map what the namespace of our compose
// files needs.
func TestTheServerConfigurationsInDeploy(t *testing.T) {
	files, err := filepath.Glob("../deploy/nats*.conf")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	ns, err := subjects.NewNamespace("default", 8)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		cmd := exec.Command(filepath.Join(binaries, "nats-server"), "-t", "-c", file)
		cmd.Env = append(os.Environ(), "SERVER_NAME=nats-1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", file, err, out)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ns.Mappings() {
			if line := `"` + m.Source + `": "` + m.Destination + `"`; !strings.Contains(string(text), line) {
				t.Errorf("%s lacks %s", file, line)
			}
		}
	}
}
