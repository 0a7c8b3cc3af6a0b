package kernel

import (
	"iter"
	"maps"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Column is one fact of inputs, by their ids: a finite map, as the chapters say and as JSON
// writes it, whose values stand in the records of the inputs. A step asks for and changes
// several facts of one input. In maps of their own each of them would be looked for where,
// with a thousand sessions taking turns, no cache remembers it; in one record they lie
// together. All columns of a state share its records ([InputsState.join]).
//
// Facts that few inputs have stay in a [Map], which is nil as long as none has them.
type Column[V comparable, F fact[V]] struct{ inputs records }

// fact is where a record has a value, and the bit that says that it is known.
type fact[V any] interface {
	of(*record) (*V, facts)
}

// Lookup returns the value of the id and whether there is one.
func (c Column[V, F]) Lookup(id string) (V, bool) {
	if r := c.inputs[id]; r != nil {
		var f F
		value, bit := f.of(r)
		return *value, r.known&bit != 0
	}
	var zero V
	return zero, false
}

// At returns the value of the id, or the zero value of its type if there is none.
func (c Column[V, F]) At(id string) V {
	v, _ := c.Lookup(id)
	return v
}

// All goes through the ids that have a value, in no order.
func (c Column[V, F]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		var f F
		for id, r := range c.inputs {
			if value, bit := f.of(r); r.known&bit != 0 && !yield(id, *value) {
				return
			}
		}
	}
}

func (c Column[V, F]) has(id string) bool {
	_, ok := c.Lookup(id)
	return ok
}

func (c Column[V, F]) put(id string, v V) {
	var f F
	r := c.inputs.of(id)
	value, bit := f.of(r)
	*value, r.known = v, r.known|bit
}

func (c Column[V, F]) del(id string) {
	if r := c.inputs[id]; r != nil {
		var f F
		var zero V
		value, bit := f.of(r)
		if *value, r.known = zero, r.known&^bit; r.known == 0 {
			delete(c.inputs, id)
		}
	}
}

func (c *Column[V, F]) drop() { c.inputs = nil }

// MarshalJSONTo writes an object.
func (c Column[V, F]) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, maps.Collect(c.All()))
}

// UnmarshalJSONFrom reads an object as the whole column.
func (c *Column[V, F]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var fresh map[string]V
	if err := json.UnmarshalDecode(dec, &fresh); err != nil {
		return err
	}
	for id := range c.All() {
		c.del(id)
	}
	for id, v := range fresh {
		c.put(id, v)
	}
	return nil
}

// element is the type of the values.
func (c Column[V, F]) element() reflect.Type { return reflect.TypeFor[V]() }
