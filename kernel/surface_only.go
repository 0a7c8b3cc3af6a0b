package kernel

// Chapter 01, surface-only names: questions that surfaces answer from their own
// knowledge. The machine knows the names and refuses them in every phase with
// [NoMatchingTransition]; ModelRoutingStatus, the ninth, stands with its region.

// ContainsSession asks whether a session is registered. Surface-only, chapter 01.
type ContainsSession struct {
	SessionID SessionId `json:"session_id"`
}

func (in *ContainsSession) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}

// SessionHasExecutor asks whether a session has a registered executor. Surface-only,
// chapter 01.
type SessionHasExecutor struct {
	SessionID SessionId `json:"session_id"`
}

func (in *SessionHasExecutor) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}

// SessionHasComms asks whether a session has peer ingress. Surface-only, chapter 01.
type SessionHasComms struct {
	SessionID SessionId `json:"session_id"`
}

func (in *SessionHasComms) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}

// OpsLifecycleRegistry asks for the operations of a session. Surface-only, chapter 01.
type OpsLifecycleRegistry struct {
	SessionID SessionId `json:"session_id"`
}

func (in *OpsLifecycleRegistry) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}

// InputState asks for what is stored of an input. Surface-only, chapter 01.
type InputState struct {
	SessionID SessionId `json:"session_id"`
	InputID   InputId   `json:"input_id"`
}

func (in *InputState) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}

// ListActiveInputs asks for the inputs that have not ended. Surface-only, chapter 01.
type ListActiveInputs struct {
	SessionID SessionId `json:"session_id"`
}

func (in *ListActiveInputs) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}

// RuntimeState asks for the visible phase of a runtime. Surface-only, chapter 01.
type RuntimeState struct {
	RuntimeID string `json:"runtime_id"`
}

func (in *RuntimeState) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}

// LoadBoundaryReceipt asks for the durable receipt of a boundary. Surface-only,
// chapter 01.
type LoadBoundaryReceipt struct {
	RuntimeID string `json:"runtime_id"`
	Sequence  uint64 `json:"sequence"`
}

func (in *LoadBoundaryReceipt) step(k *Kernel, s *State) {
	switch {
	// No rule: surface-only.
	}
}
