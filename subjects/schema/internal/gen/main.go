// Command gen writes docs/asyncapi.json and docs/schemas.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/kalahari-run/kalahari/subjects/schema"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: gen <directory>")
	}
	files, err := schema.Files()
	if err != nil {
		log.Fatal(err)
	}
	dir := os.Args[1]
	if err := os.RemoveAll(filepath.Join(dir, "schemas")); err != nil {
		log.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "schemas"), 0o755); err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
