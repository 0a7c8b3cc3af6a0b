package worker

import (
	"runtime"
	"runtime/debug"
)

// crowd is how many sessions a worker hosted at most since it last gave memory back, whether
// they are leaving, and whether few of them were left when it last looked.
type crowd struct {
	most    int
	leaving bool
	few     bool
}

// grown notes that a session has come.
func (c *crowd) grown(n int) {
	if n > c.most {
		*c = crowd{most: n}
	}
}

// leaves reports, once, that a quarter of a crowd has left.
func (c *crowd) leaves(n int) bool {
	if c.leaving || c.most < aCrowd || n > c.most-c.most/4 {
		return false
	}
	c.leaving = true
	return true
}

// aCrowd is from how many sessions on their memory is worth a collection.
const aCrowd = 256

// makeRoom is for when a crowd begins to leave. Sessions that leave make as much garbage as
// they took: it finds the room of the first, and the heap does not grow for it, nor what the
// runtime keeps of each piece of the heap, for ever.
func makeRoom() { runtime.GC() }

// giveBack returns to the system what sessions took that have left: most of a crowd, at two
// looks in a row, so that those who come back soon find it. By itself the runtime collects
// when much has been allocated, and a worker that rests allocates nothing.
func (l *life) giveBack() {
	if l.deserted() {
		runtime.GC() // what pools hold outlasts one collection
		debug.FreeOSMemory()
	}
}

func (l *life) deserted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, was := l.hosted.Len(), l.crowd.few
	l.crowd.few = l.crowd.most >= aCrowd && n <= l.crowd.most/4
	if !was || !l.crowd.few {
		return false
	}
	l.crowd = crowd{most: n}
	return true
}
