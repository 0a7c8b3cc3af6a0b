//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package embedded

import (
	"syscall"
	"testing"
)

// A directory is free once its server has ended, also if a process that is just being started
// has a copy of the file.
func TestADirectoryIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	held, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir); err == nil {
		t.Error("a directory was given away twice")
	}
	copied, err := syscall.Dup(int(held.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(copied) }()
	if err := unlock(held); err != nil {
		t.Error(err)
	}
	again, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(again); err != nil {
		t.Error(err)
	}
}
