// Package ebb holds a map for what comes in crowds and leaves again.
package ebb

import (
	"iter"
	"maps"
)

// Map is a map that gives back the room of entries that have left. Go's own keeps room for
// the most it ever held, so an index of sessions would take as much when all of them rest.
// The zero Map is empty and ready.
type Map[K comparable, V any] struct {
	m    map[K]V
	most int // entries since the room was made
}

// worth is from how many entries on their room is worth moving the rest.
const worth = 256

// Len is the number of entries.
func (m *Map[K, V]) Len() int { return len(m.m) }

// Get returns the entry of key.
func (m *Map[K, V]) Get(key K) (V, bool) {
	v, ok := m.m[key]
	return v, ok
}

// Put sets the entry of key.
func (m *Map[K, V]) Put(key K, v V) {
	if m.m == nil {
		m.m = map[K]V{}
	}
	m.m[key] = v
	m.most = max(m.most, len(m.m))
}

// Delete removes the entry of key. When three of four have left, the others move, so that a
// removal costs a third of a move at most.
func (m *Map[K, V]) Delete(key K) {
	delete(m.m, key)
	if m.most >= worth && len(m.m) <= m.most/4 {
		m.most = len(m.m)
		smaller := make(map[K]V, m.most)
		maps.Copy(smaller, m.m)
		m.m = smaller
	}
}

// All yields every entry once, in no order. Entries may be removed meanwhile; one that is,
// before it was yielded, may still be.
func (m *Map[K, V]) All() iter.Seq2[K, V] { return maps.All(m.m) }
