package kernel

// Chapter 05, tool visibility: what proves that a tool name still means the same tool.
//
// A witness records where a tool was last seen to come from. A catalog holds the
// witnesses of the tools the host really offers. A name counts only if it is backed:
// its witness names an origin and is the one in the catalog.

// witnesses has a witness for each of some tools.
type witnesses = Map[ToolName, ToolVisibilityWitness]

// identified reports whether the witness names an origin.
func (w ToolVisibilityWitness) identified() bool { return w.LastSeenProvenance.IsSome() }

// names are the names the filter spells out. All has none.
func (f ToolFilter) names() Set[ToolName] {
	if f.Kind == FilterAll {
		return nil
	}
	return f.Names
}

// allIdentified reports whether every witness names an origin.
func allIdentified(w witnesses) bool {
	return every(w, func(_ ToolName, witness ToolVisibilityWitness) bool { return witness.identified() })
}

// namesIdentified reports whether w has a witness that names an origin for every name.
func namesIdentified(names Set[ToolName], w witnesses) bool {
	return every(names, func(name ToolName, _ struct{}) bool { return w[name].identified() })
}

// backed reports whether every authority names an origin and stands in the catalog as it
// is.
func backed(authorities, catalog witnesses) bool {
	return every(authorities, func(name ToolName, authority ToolVisibilityWitness) bool {
		return authority.identified() && holds(catalog, name, authority)
	})
}

// filterBacked reports whether every name the filter spells out has a witness that names
// an origin and stands in the catalog as it is.
func filterBacked(f ToolFilter, w, catalog witnesses) bool {
	return every(f.names(), func(name ToolName, _ struct{}) bool {
		return w[name].identified() && holds(catalog, name, w[name])
	})
}

// authoritiesMatch reports whether the authorities are the witnesses of exactly these
// names.
func authoritiesMatch(names Set[ToolName], w, authorities witnesses) bool {
	return sameKeys(authorities, names) && heldBy(authorities, w)
}

// heldBy reports whether every authority stands in w as it is.
func heldBy(authorities, w witnesses) bool {
	return every(authorities, func(name ToolName, authority ToolVisibilityWitness) bool {
		return holds(w, name, authority)
	})
}

// every reports whether all entries pass. It does not go through keys: a conjunction
// does not show the order.
func every[K comparable, V any](m map[K]V, pass func(K, V) bool) bool {
	for k, v := range m {
		if !pass(k, v) {
			return false
		}
	}
	return true
}

// keysWithin reports whether every key of a, a set or a map, is one of b.
func keysWithin[K comparable, V, W any](a map[K]V, b map[K]W) bool {
	return every(a, func(k K, _ V) bool {
		_, ok := b[k]
		return ok
	})
}

// sameKeys reports whether a and b, sets or maps, have the same keys.
func sameKeys[K comparable, V, W any](a map[K]V, b map[K]W) bool {
	return len(a) == len(b) && keysWithin(a, b)
}

// keySet is a new set of the keys of m.
func keySet[K comparable, V any](m Map[K, V]) Set[K] {
	s := make(Set[K], len(m))
	for k := range m {
		s[k] = struct{}{}
	}
	return s
}
