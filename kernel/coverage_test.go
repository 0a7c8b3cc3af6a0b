package kernel_test

import "sync"

// taken collects the rules the suite has taken; the coverage check reads it at the end.
var (
	takenMu sync.Mutex
	taken   = map[string]int{}
)

func noteTaken(rule string) {
	takenMu.Lock()
	taken[rule]++
	takenMu.Unlock()
}
