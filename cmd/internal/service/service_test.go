package service

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// Two workers on one host have its name both, and an instance each: a collector would take
// their counters for one that jumps.
func TestProcessesOfOneHostAreTwoInstances(t *testing.T) {
	p, err := Start(t.Context(), "kalahari-worker", Name(""), Flags{Private: "127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	res, err := http.Get("http://" + p.Private.Addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var metrics bytes.Buffer
	if _, err := metrics.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	want := `service_instance_id="` + Instance(Name("")) + `"`
	if !strings.Contains(metrics.String(), want) || Instance("") == Name("") {
		t.Errorf("no %s in\n%s", want, metrics.String())
	}
}
