//go:build !linux || race

package service

import "context"

// Under the race detector memory has a shadow that is several times as large.
func hugePages(context.Context) {}
