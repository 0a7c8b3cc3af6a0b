package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Rest is what sessions take while they are in memory, and when they are not.
type Rest struct {
	// Bytes of memory for each session, by process and together: what of the processes is
	// resident after they have given back what they do not use, less what it was before. Pages
	// of files, which are the program's own, count for no session.
	Active map[string]float64 `json:"active_bytes_per_session"`
	AtRest map[string]float64 `json:"rest_bytes_per_session"`
	// Bytes on disk for each session at rest.
	Disk float64 `json:"disk_bytes_per_session"`
}

// writeCache is for how long the server keeps in memory what it has written, and some.
const writeCache = 12 * time.Second

// idle gives each session its input, and looks at the processes: before, while all
// sessions are in memory, and when all of them are at rest.
func (b *run) idle(ctx context.Context) (*Rest, error) {
	before, err := b.memory(ctx)
	if err != nil {
		return nil, err
	}
	diskBefore, err := diskUse(b.family.dir)
	if err != nil {
		return nil, err
	}
	b.say("publishing an input to %d sessions", b.Sessions)
	if err := b.publish(ctx, b.ledger.measured, b.ledger.inputs, b.Rate); err != nil {
		return nil, err
	}
	if err := b.settle(ctx, b.total()); err != nil {
		return nil, err
	}
	ended := time.Now()
	// What the server has just written is no part of a session.
	if err := pause(ctx, min(writeCache, b.HibernateAfter/2)); err != nil {
		return nil, err
	}
	owners, err := b.owners(ctx)
	if err != nil {
		return nil, err
	}
	defer owners.Close()
	active, err := b.memory(ctx)
	if err != nil {
		return nil, err
	}
	if n := owners.Len(); n < b.Sessions { // looked at afterwards: none has left meanwhile
		return nil, fmt.Errorf("only %d of %d sessions are in memory together: they hibernate too early", n, b.Sessions)
	}
	b.say("waiting until all sessions rest")
	if err := b.rested(ctx, ended, owners.Len); err != nil {
		return nil, err
	}
	atRest, err := b.memory(ctx)
	if err != nil {
		return nil, err
	}
	disk, err := diskUse(b.family.dir)
	if err != nil {
		return nil, err
	}
	per := func(after map[string]int64) map[string]float64 {
		each := map[string]float64{}
		for role := range after {
			each[role] = round(float64(after[role]-before[role])/float64(b.Sessions), 0)
			each["all"] += each[role]
		}
		return each
	}
	return &Rest{per(active), per(atRest), round(float64(disk-diskBefore)/float64(b.Sessions), 0)}, nil
}

// rested waits until no session is owned. Until HibernateAfter is over none will leave, and
// that is no stall.
func (b *run) rested(ctx context.Context, ended time.Time, owned func() int) error {
	if err := pause(ctx, time.Until(ended.Add(b.HibernateAfter))); err != nil {
		return err
	}
	return b.settled(ctx, "no session came to rest", b.Sessions, func() int { return b.Sessions - owned() })
}

// memory is the resident memory of server and workers, by role.
func (b *run) memory(ctx context.Context) (map[string]int64, error) {
	// The consumers of the last outcomes may still be at work.
	if err := pause(ctx, time.Second); err != nil {
		return nil, err
	}
	used := map[string]int64{}
	for _, c := range append(b.family.workers[:len(b.family.workers):len(b.family.workers)], b.family.server) {
		if err := c.free(ctx); err != nil {
			return nil, err
		}
		n, err := resident(c.cmd.Process.Pid)
		if err != nil {
			return nil, err
		}
		used[string(c.role)] += n
	}
	return used, nil
}

// resident is what of a process's memory is resident, without pages of files, in bytes.
func resident(pid int) (int64, error) {
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(statm)
	if len(fields) < 3 {
		return 0, fmt.Errorf("not a statm line: %q", statm)
	}
	all, err := strconv.ParseInt(string(fields[1]), 10, 64)
	ofFiles, err2 := strconv.ParseInt(string(fields[2]), 10, 64)
	if err = errors.Join(err, err2); err != nil {
		return 0, fmt.Errorf("not a statm line: %w", err)
	}
	return (all - ofFiles) * int64(os.Getpagesize()), nil
}

// diskUse is the size of all files below a directory.
func diskUse(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreGone(err)
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return ignoreGone(err)
	})
	return total, err
}

// ignoreGone: the server removes files while they are counted.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
