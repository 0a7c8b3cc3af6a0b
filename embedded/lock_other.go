//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package embedded

import "os"

// lock only opens the directory: here nothing keeps two servers from sharing one.
func lock(dir string) (*os.File, error) { return os.Open(dir) }

func unlock(f *os.File) error { return f.Close() }
