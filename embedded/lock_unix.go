//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package embedded

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock keeps a directory for one server, in this process or any other, until [unlock]
// or the end of the process, however it comes. The upstream server does not look: a second
// one takes the store over, and each writes over what the other has acknowledged.
func lock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	// A file system that has no locks is no reason not to start.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("%s is the store of a server that runs", dir), f.Close())
	}
	return f, nil
}

// unlock gives the directory back. To close the file is not enough: a process that is just being
// started from this one has a copy of it for a moment, and with it the lock.
func unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
