package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of CPU time in /proc, the same on every Linux that Go runs on.
const tick = 10 * time.Millisecond

func self() int { return os.Getpid() }

// cpu is the CPU time the processes have used, by role. Where there is no /proc, roles
// are left out.
func (b *run) cpu() map[string]time.Duration {
	used := map[string]time.Duration{}
	for role, pids := range b.processes {
		for _, pid := range pids {
			d, err := processCPU(pid)
			if err != nil {
				delete(used, role)
				break
			}
			used[role] += d
		}
	}
	return used
}

func processCPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	return parseStat(stat)
}

// parseStat reads utime and stime, the 14th and 15th field. The second field is the
// program's name in brackets, and may contain anything.
func parseStat(stat []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	if end < 0 || len(fields) < 13 {
		return 0, fmt.Errorf("not a stat line: %q", stat)
	}
	var ticks uint64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseUint(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("not a stat line: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
