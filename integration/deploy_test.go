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

// Kubernetes asks for signs of life on the private port, which is open from the start: a
// gateway's public one opens when there is a namespace, and a gateway that waits for one is
// not to be restarted for that.
func TestTheProbesInDeploy(t *testing.T) {
	for _, program := range []string{"worker", "gateway"} {
		text, err := os.ReadFile("../deploy/kubernetes/" + program + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		file := strings.Join(strings.Fields(string(text)), " ")
		for _, part := range []string{
			"livenessProbe: httpGet: path: /livez port: private",
			"- name: private containerPort: 8081",
			"- name: KALAHARI_PRIVATE value: 0.0.0.0:8081",
		} {
			if !strings.Contains(file, part) {
				t.Errorf("%s: no %q", program, part)
			}
		}
	}
}
