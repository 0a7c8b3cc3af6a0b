//go:build unix && !linux

package integration

import (
	"errors"
	"syscall"
)

func childAttributes() *syscall.SysProcAttr { return nil }

func apart() (int, error) { return 0, errors.ErrUnsupported }

func mount(dir, size string) error { return errors.ErrUnsupported }

func unmount(dir string) error { return errors.ErrUnsupported }
