package kernel

import (
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Opt is a value that may be absent. Two options are equal, by ==, if both are absent
// or both hold equal values (chapter 01, reducer semantics 5). In JSON it is null or
// the value.
type Opt[T comparable] struct {
	value T
	set   bool
}

// Some is the option that holds v.
func Some[T comparable](v T) Opt[T] { return Opt[T]{value: v, set: true} }

// None is the absent option.
func None[T comparable]() Opt[T] { return Opt[T]{} }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.value, o.set }

// IsSome reports whether there is a value.
func (o Opt[T]) IsSome() bool { return o.set }

// IsNone reports whether the value is absent.
func (o Opt[T]) IsNone() bool { return !o.set }

// Is reports whether the option holds exactly v.
func (o Opt[T]) Is(v T) bool { return o.set && o.value == v }

// Value returns the value, or the zero value of the type if it is absent, as
// unwrapping in the reference does (chapter 01, reducer semantics 3).
func (o Opt[T]) Value() T { return o.value }

// Or returns the value, or v if it is absent.
func (o Opt[T]) Or(v T) T {
	if o.set {
		return o.value
	}
	return v
}

// MarshalJSONTo writes null or the value.
func (o Opt[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	if !o.set {
		return enc.WriteToken(jsontext.Null)
	}
	return json.MarshalEncode(enc, &o.value)
}

// UnmarshalJSONFrom reads null or a value.
func (o *Opt[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		*o = Opt[T]{}
		return dec.SkipValue()
	}
	// A fresh value: what the option held before must not shine through.
	var v T
	if err := json.UnmarshalDecode(dec, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}

// of is the type of the value.
func (o Opt[T]) of() reflect.Type { return reflect.TypeFor[T]() }
