package simulation

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// what befalls a message.
type what string

const (
	pass      what = ""
	lose      what = "lost"            // it never arrives, and the connection goes on
	delay     what = "late"            // it arrives behind others that were sent after it
	twice     what = "twice"           // it arrives, and later once more
	stall     what = "stalled"         // it and all behind it wait
	cutBefore what = "cut before"      // the connection breaks, and it is lost
	cutBehind what = "cut right after" // it arrives, and the connection breaks
)

// fate is what befalls one message.
type fate struct {
	what what
	by   time.Duration
}

// faults says how often what befalls the messages of a class.
type faults struct {
	rate map[class]float64
	// kinds are those that happen, with their weights.
	kinds []weighted
	late  time.Duration // at most
}

type weighted struct {
	what   what
	weight int
}

// fate is drawn from dice of its own for each party and class, so that it depends on what
// the message is and how many of its kind went before, and on little else.
func (n *network) fate(link string, kind class) fate {
	rate := n.faults.rate[kind]
	if rate == 0 || kind == protocol {
		return fate{}
	}
	name := link + " " + string(kind)
	d := n.dice[name]
	if d == nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		d = rand.New(rand.NewPCG(n.seed, h.Sum64()))
		n.dice[name] = d
	}
	hit, pick, by := d.Float64(), d.Float64(), d.Float64()
	if hit >= rate {
		return fate{}
	}
	total := 0
	for _, k := range n.faults.kinds {
		total += k.weight
	}
	at := int(pick * float64(total))
	for _, k := range n.faults.kinds {
		if at -= k.weight; at < 0 {
			// Short ones are as likely as long ones: a race is a matter of milliseconds.
			if by < 0.5 {
				return fate{k.what, time.Duration(2 * by * float64(20*time.Millisecond))}
			}
			late := n.faults.late
			if kind == "blob" {
				// A record that is stored when its blob has been let go is as one that nobody
				// names, which stays (docs/wire.md, Blobs).
				late = min(late, shortestGrace)
			}
			return fate{k.what, time.Duration((2*by - 1) * float64(late))}
		}
	}
	return fate{}
}
