package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "bench-child" { // bench starts its own program, whatever that is
		main()
		return
	}
	testscript.Main(m, map[string]func(){"kalahari": main})
}

// TestScripts runs the program as a person would: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
