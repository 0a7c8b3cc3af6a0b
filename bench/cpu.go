package bench

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"
)

// tick is the unit of CPU time in /proc, the same on every Linux that Go runs on.
const tick = 10 * time.Millisecond

func self() int { return os.Getpid() }

// cpu is the CPU time the processes have used, by role, those of them that were killed as
// well. Where there is no /proc, roles are left out.
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
	if _, ok := used[string(RoleWorker)]; ok {
		used[string(RoleWorker)] += b.gone
	}
	return used
}

// crash kills a worker with kill -9, and keeps the CPU time it has used.
func (b *run) crash(victim *child) error {
	if err := errors.Join(victim.kill(), victim.end()); err != nil {
		return err
	}
	b.gone += victim.cmd.ProcessState.UserTime() + victim.cmd.ProcessState.SystemTime()
	b.family.workers = slices.DeleteFunc(b.family.workers, func(w *child) bool { return w == victim })
	maps.Copy(b.processes, b.family.pids())
	return nil
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
