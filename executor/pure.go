package executor

// PureExecutor is an [Executor] that knows calls of its own which have no effect but their
// result: rules, routers, templates, whatever only computes.
//
// Such a call does not leave the session, so it need not wait until the commit that stages
// its run is stored (PROTOCOL 3). It is made while that commit is put together, which then
// has the run's end as well: one commit where others take two, and as many runs to a commit
// as have arrived and it has room for.
type PureExecutor interface {
	Executor
	// Pure reports whether Apply, called for this run, does nothing but compute its result,
	// from what the run carries and within microseconds: the session waits for it, and
	// nothing can stop it. Such a call has no [Run.Host] to act on, nobody cancels it at a
	// boundary, and its context never ends; it may return [Result.Actions].
	//
	// If the commit is refused, because the session has another owner, the run has not
	// happened and no log tells of it. It is then done again under another [Run.ID].
	// A run whose inputs have blobs is not asked about, nor one that was staged by an earlier
	// owner; one whose result is too large for an event is done again once it is staged. Those
	// calls are made like any other's.
	Pure(run *Run) bool
}

// IsPure reports whether x takes a call for the run to be pure. An x that panics does not.
func IsPure(x Executor, run *Run) (pure bool) {
	p, ok := x.(PureExecutor)
	if !ok {
		return false
	}
	defer func() {
		if recover() != nil {
			pure = false
		}
	}()
	return p.Pure(run)
}
