package kernel

import "strconv"

// IDs are the strings that a record of the log refers to by number. The ids of inputs and
// runs stand in most of its steps, and in what else a record says; each is written once.
//
// In JSON a number where a string belongs is the number of one of them. No string is
// written as a number, so nothing a user chooses is taken for a reference, and what is
// written without a table is read as it stands.
type IDs struct {
	all   []string
	size  int
	older map[string]int // places in all, see find
}

// Only strings of these lengths are referred to: shorter ones gain too little, longer
// ones are texts and not ids.
const (
	minID = 8
	maxID = 128
)

// recentIDs is how many of the latest are looked at one by one. What belongs together stands
// together, so that most are found there; of a large commit the others are looked up.
const recentIDs = 12

// Append appends s in JSON, as its number if it has one.
func (d *IDs) Append(b []byte, s string) []byte {
	if len(s) < minID || len(s) > maxID {
		return appendText(b, s)
	}
	n := len(d.all)
	for i := n - 1; i >= 0 && i >= n-recentIDs; i-- {
		if d.all[i] == s {
			return strconv.AppendInt(b, int64(i), 10)
		}
	}
	if n > recentIDs {
		if i, ok := d.find(s); ok {
			return strconv.AppendInt(b, int64(i), 10)
		}
	}
	d.all = append(d.all, s)
	d.size += len(s) + len(`"",`)
	return strconv.AppendInt(b, int64(n), 10)
}

// find looks a string up among all that are no longer the latest.
func (d *IDs) find(s string) (int, bool) {
	if d.older == nil {
		d.older = make(map[string]int, 16*recentIDs)
	}
	for i := len(d.older); i < len(d.all)-recentIDs; i++ {
		d.older[d.all[i]] = i // each stands in all once
	}
	i, ok := d.older[s]
	return i, ok
}

// AppendAll appends the strings, as a JSON array in the order of their numbers.
func (d *IDs) AppendAll(b []byte) []byte {
	b = append(b, '[')
	for i, s := range d.all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

// Bytes is about what [IDs.AppendAll] appends.
func (d *IDs) Bytes() int { return d.size }

// Len is how many there are.
func (d *IDs) Len() int { return len(d.all) }

// Reset forgets them.
func (d *IDs) Reset() {
	clear(d.all)
	clear(d.older)
	d.all, d.size = d.all[:0], 0
}
