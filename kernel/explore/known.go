package explore

import "slices"

// known is a rule of the reference that breaks an invariant by itself.
type known struct{ rule, invariant string }

const (
	deferredStop = "deferred_stop_requires_active_runtime_phase"
	preRunPhase  = "current_run_has_pre_run_phase"
)

// lifecycleKnown is the table of chapter 01, reducer semantics 8.
var lifecycleKnown = []known{
	{"RecycleFromIdleOrRetired", preRunPhase},
	{"CommitRunningToIdle", deferredStop},
	{"FailRunningToIdle", deferredStop},
	{"CancelRunningToIdle", deferredStop},
	{"RollbackRunRunningToIdle", deferredStop},
	{"CommitRunningToRetired", deferredStop},
	{"FailRunningToRetired", deferredStop},
	{"CancelRunningToRetired", deferredStop},
	{"RollbackRunRunningToRetired", deferredStop},
	{"UnregisterSessionAttached", deferredStop},
	{"UnregisterSessionRunning", deferredStop},
}

// knownIn are the known violations whose rules belong to a region.
func knownIn(region string) []known {
	if region != "lifecycle" {
		return nil
	}
	return lifecycleKnown
}

func isKnown(invariant, rule string) bool {
	return slices.Contains(lifecycleKnown, known{rule, invariant})
}
