package worker

import (
	"runtime"
	"runtime/debug"
)

// crowd is how many sessions a worker hosted at most since it last gave memory back, and
// whether few of them were left when it last looked.
type crowd struct {
	most int
	few  bool
}

// aCrowd is from how many sessions on their memory is worth a collection.
const aCrowd = 256

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
	l.crowd.most = max(l.crowd.most, n)
	l.crowd.few = l.crowd.most >= aCrowd && n <= l.crowd.most/4
	if !was || !l.crowd.few {
		return false
	}
	l.crowd = crowd{most: n}
	return true
}
