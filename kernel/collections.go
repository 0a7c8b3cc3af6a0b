package kernel

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Map is a finite map of the state. The nil map is empty; put makes it. Nothing in the
// machine depends on its order: where a rule needs one, it goes through keys.
type Map[K comparable, V any] map[K]V

// Lookup returns the value of the key and whether there is one.
func (m Map[K, V]) Lookup(k K) (V, bool) {
	v, ok := m[k]
	return v, ok
}

func (m Map[K, V]) has(k K) bool {
	_, ok := m[k]
	return ok
}

func (m *Map[K, V]) put(k K, v V) {
	if *m == nil {
		*m = make(Map[K, V])
	}
	(*m)[k] = v
}

func (m Map[K, V]) del(k K) { delete(m, k) }

func (m *Map[K, V]) drop() { *m = nil }

// Clone copies the map, an empty one into nil; values that are collections themselves are
// copied too.
func (m Map[K, V]) Clone() Map[K, V] {
	if len(m) == 0 {
		return nil
	}
	c := maps.Clone(m)
	for k, v := range c {
		if nested, ok := any(v).(interface{ Clone() V }); ok {
			c[k] = nested.Clone()
		}
	}
	return c
}

// UnmarshalJSONFrom reads an object as the whole map: what the map held before is gone,
// so that laying a field over a state replaces it.
func (m *Map[K, V]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var fresh map[K]V
	if err := json.UnmarshalDecode(dec, &fresh); err != nil {
		return err
	}
	*m = fresh
	return nil
}

// mapping is a finite map of the state: a [Map] or a [Column].
type mapping[K, V comparable] interface {
	put(K, V)
	del(K)
	// drop makes it empty here. Copies of the state keep what it was.
	drop()
	// pack writes how many keys there are and, through entry, each of them.
	pack(p *packer, entry func(*packer, K, V))
	// unpack reads n of them, through entry, into what is empty.
	unpack(u *unpacker, n uint64, entry func(*unpacker) (K, V))
}

// holds reports whether m has k with exactly the value v: "present and equal" in the
// chapters.
func holds[K, V comparable](m interface{ Lookup(K) (V, bool) }, k K, v V) bool {
	got, ok := m.Lookup(k)
	return ok && got == v
}

// putOpt is put(m, o) of the chapters: some(v) sets the key, none deletes it.
func putOpt[K, V comparable](m mapping[K, V], k K, o Opt[V]) {
	if v, ok := o.Get(); ok {
		m.put(k, v)
	} else {
		m.del(k)
	}
}

// Set is a finite set of the state. In JSON it is an array in key order.
type Set[T comparable] map[T]struct{}

// SetOf makes a set of the given elements.
func SetOf[T comparable](elements ...T) Set[T] {
	s := make(Set[T], len(elements))
	for _, e := range elements {
		s[e] = struct{}{}
	}
	return s
}

// Has reports whether v is an element.
func (s Set[T]) Has(v T) bool {
	_, ok := s[v]
	return ok
}

// Elements lists the elements in key order.
func (s Set[T]) Elements() []T {
	return slices.SortedFunc(maps.Keys(s), compareKeys[T])
}

func (s *Set[T]) add(v T) {
	if *s == nil {
		*s = make(Set[T])
	}
	(*s)[v] = struct{}{}
}

func (s Set[T]) del(v T) { delete(s, v) }

// Equal reports whether both sets have the same elements.
func (s Set[T]) Equal(t Set[T]) bool {
	return len(s) == len(t) && s.subsetOf(t)
}

func (s Set[T]) subsetOf(t Set[T]) bool {
	for v := range s {
		if !t.Has(v) {
			return false
		}
	}
	return true
}

// Clone copies the set; an empty one into nil.
func (s Set[T]) Clone() Set[T] {
	if len(s) == 0 {
		return nil
	}
	return maps.Clone(s)
}

// MarshalJSONTo writes an array in key order.
func (s Set[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, s.Elements())
}

// UnmarshalJSONFrom reads an array; a repeated element counts once.
func (s *Set[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var elements []T
	if err := json.UnmarshalDecode(dec, &elements); err != nil {
		return err
	}
	*s = SetOf(elements...)
	return nil
}

// compareKeys orders keys of any of the machine's key types.
func compareKeys[K comparable](a, b K) int {
	return compareValues(reflect.ValueOf(a), reflect.ValueOf(b))
}

func compareValues(a, b reflect.Value) int {
	switch a.Kind() {
	case reflect.String:
		return cmp.Compare(a.String(), b.String())
	case reflect.Uint8, reflect.Uint64:
		return cmp.Compare(a.Uint(), b.Uint())
	case reflect.Array, reflect.Slice:
		for i := range a.Len() {
			if c := compareValues(a.Index(i), b.Index(i)); c != 0 {
				return c
			}
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if c := compareValues(a.Field(i), b.Field(i)); c != 0 {
				return c
			}
		}
	}
	return 0
}
