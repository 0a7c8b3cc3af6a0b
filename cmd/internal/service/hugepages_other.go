//go:build !linux || race

package service

import "context"

// Under the race detector memory has a shadow that is several times as large.
func hugePagesOffered() bool { return false }

func pagesAreDear() bool { return false }

func hugePages(context.Context) {}
