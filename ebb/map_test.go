package ebb

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"
)

// Whatever is put and removed, a Map holds what a map holds.
func TestMapHoldsWhatAMapHolds(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	var m Map[int, int]
	want := map[int]int{}
	for round := range 20 {
		for range 2 * worth {
			if k := draw.IntN(4 * worth); round%2 == 0 {
				m.Put(k, round)
				want[k] = round
			} else {
				m.Delete(k)
				delete(want, k)
			}
		}
		if round%5 == 4 { // an ebb to nothing
			for k := range m.All() {
				m.Delete(k)
			}
			clear(want)
		}
		if got := maps.Collect(m.All()); !maps.Equal(got, want) || m.Len() != len(want) {
			t.Fatalf("round %d: %d entries, want %d", round, m.Len(), len(want))
		}
		for k := range 4 * worth {
			v, ok := m.Get(k)
			if w, wok := want[k]; v != w || ok != wok {
				t.Fatalf("round %d: key %d is %d, %v; want %d, %v", round, k, v, ok, w, wok)
			}
		}
	}
}

// Each entry is yielded once, though removals make the others move meanwhile.
func TestAllWhileEntriesLeave(t *testing.T) {
	var m Map[int, int]
	for k := range 4 * worth {
		m.Put(k, k)
	}
	seen := map[int]int{}
	for k := range m.All() {
		seen[k]++
		m.Delete(k)
	}
	if len(seen) != 4*worth || m.Len() != 0 {
		t.Fatalf("%d entries seen and %d left, want %d and 0", len(seen), m.Len(), 4*worth)
	}
	for k, n := range seen {
		if n != 1 {
			t.Errorf("entry %d came %d times", k, n)
		}
	}
}

// What a crowd took is given back while a few stay.
func TestMapGivesItsRoomBack(t *testing.T) {
	const crowd, stay, each = 100_000, 10, 16 // bytes of an entry
	heap := func() int {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return int(s.HeapAlloc)
	}
	var m Map[int, int]
	before := heap()
	for k := range crowd {
		m.Put(k, k)
	}
	if took := heap() - before; took < crowd*each {
		t.Fatalf("%d entries took %d bytes", crowd, took)
	}
	for k := stay; k < crowd; k++ {
		m.Delete(k)
	}
	if left := heap() - before; left > crowd*each/10 {
		t.Errorf("%d bytes are left", left)
	}
	if m.Len() != stay {
		t.Errorf("%d entries are left, want %d", m.Len(), stay)
	}
}
