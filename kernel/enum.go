package kernel

import (
	"fmt"
	"strings"
)

//go:generate go run ./internal/gen

// enumTexts is the name of an enum type and the texts of its variants, by value.
type enumTexts struct {
	name  string
	texts []string
}

func (e *enumTexts) text(v uint8) string {
	if int(v) < len(e.texts) {
		return e.texts[v]
	}
	return fmt.Sprintf("%s(%d)", e.name, v)
}

// check refuses a value that is none of the variants.
func (e *enumTexts) check(v uint8) error {
	if int(v) >= len(e.texts) {
		return fmt.Errorf("%d is no variant of %s", v, e.name)
	}
	return nil
}

func (e *enumTexts) marshal(v uint8) ([]byte, error) {
	if err := e.check(v); err != nil {
		return nil, err
	}
	return []byte(e.texts[v]), nil
}

func (e *enumTexts) unmarshal(v *uint8, text []byte) error {
	for i, t := range e.texts {
		if t == string(text) {
			*v = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("%s has no variant %q, only %s", e.name, text, strings.Join(e.texts, ", "))
}
