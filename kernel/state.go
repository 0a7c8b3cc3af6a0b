package kernel

// State is everything the machine knows of one session: one part per region, each
// documented in the chapter of its name. In JSON it is one flat object with the
// chapters' field names. Sets, maps and filters of a state are its own: they are copied
// where they enter from an input and where they leave in an effect. It is read with
// [UnmarshalState], [OverlayState] or [DecodeState], which make the records its columns share.
type State struct {
	LifecycleState
	InputsState
	TurnState
	OpsState
	VisibilityState
	PeersState
}

// NewState is the state of a fresh machine. Fields not named here start at the zero
// value of their type.
func NewState() State {
	var s State
	s.LifecyclePhase = Initializing
	s.MaxStageAttempts = 3
	s.NextAdmissionSeq = 1_000_000_000
	s.NextPriorityAdmissionSeq = 999_999_999
	s.RemovalTimeoutMs = 30_000
	return s
}
