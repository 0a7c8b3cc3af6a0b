package kernel

// Chapter 03, the turn: extraction, the part of a turn that asks the model again for
// structured output. It crosses no boundary, so a cancel asked for meanwhile never
// fires; and it never fails the run: without a valid output the run completes with what
// it has.

// EnterExtraction turns from the boundary to extraction, the first time and for every
// further answer. The attempts so far are kept. Runtime-internal, chapter 03.
type EnterExtraction struct {
	RunID                RunId  `json:"run_id"`
	MaxExtractionRetries uint64 `json:"max_extraction_retries"`
}

func (in *EnterExtraction) step(k *Kernel, s *State) {
	switch {
	case k.rule("EnterExtraction", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_draining_boundary", s.TurnPhase == TurnPhaseDrainingBoundary):

		s.TurnPhase = TurnPhaseExtracting
		s.MaxExtractionRetries = in.MaxExtractionRetries
		s.ExtractionActive = true
	}
}

// ExtractionStart sends the extraction prompt to the model. Runtime-internal, chapter 03.
type ExtractionStart struct {
	RunID RunId `json:"run_id"`
}

func (in *ExtractionStart) step(k *Kernel, s *State) {
	switch {
	case k.rule("ExtractionStart", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_extracting", s.TurnPhase == TurnPhaseExtracting):

		s.TurnPhase = TurnPhaseCallingLlm
		k.emit(TurnCheckCompaction{})
	}
}

// ExtractionValidationPassed says that the output fits its schema, which ends the turn.
// Runtime-internal, chapter 03.
type ExtractionValidationPassed struct {
	RunID RunId `json:"run_id"`
}

func (in *ExtractionValidationPassed) step(k *Kernel, s *State) {
	switch {
	case k.rule("ExtractionValidationPassed", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_extracting", s.TurnPhase == TurnPhaseExtracting):

		s.completeTurn()
		k.emit(TurnRunCompleted{RunID: in.RunID, Outcome: TurnTerminalOutcomeCompleted})
	}
}

// ExtractionValidationFailed says that the output does not fit its schema: ask again, or
// complete without it when the retries are used up. The machine ignores Error.
// Runtime-internal, chapter 03.
type ExtractionValidationFailed struct {
	RunID RunId  `json:"run_id"`
	Error string `json:"error"`
}

func (in *ExtractionValidationFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("ExtractionValidationFailedRetry", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_extracting", s.TurnPhase == TurnPhaseExtracting) &&
		k.guard("retries_remaining", s.ExtractionAttempts < s.MaxExtractionRetries):

		s.ExtractionAttempts++
		s.TurnPhase = TurnPhaseCallingLlm
		k.emit(TurnCheckCompaction{})

	case k.rule("ExtractionValidationFailedExhausted", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_extracting", s.TurnPhase == TurnPhaseExtracting) &&
		k.guard("retries_exhausted", s.ExtractionAttempts >= s.MaxExtractionRetries):

		s.giveUpExtraction()
		k.emit(TurnRunCompleted{RunID: in.RunID, Outcome: TurnTerminalOutcomeCompleted})
	}
}

// ExtractionFailed gives extraction up at once. It does not ask whether extraction was
// active and completes an ordinary round, too. The machine ignores Error.
// Runtime-internal, chapter 03.
type ExtractionFailed struct {
	RunID RunId  `json:"run_id"`
	Error string `json:"error"`
}

func (in *ExtractionFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("ExtractionFailedTerminal", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_extracting_calling_or_draining",
			s.TurnPhase == TurnPhaseExtracting || s.TurnPhase == TurnPhaseCallingLlm ||
				s.TurnPhase == TurnPhaseDrainingBoundary):

		s.giveUpExtraction()
		k.emit(TurnRunCompleted{RunID: in.RunID, Outcome: TurnTerminalOutcomeCompleted})
	}
}

// giveUpExtraction completes the turn without the structured output.
func (s *TurnState) giveUpExtraction() {
	s.ExtractionAttempts++
	s.completeTurn()
	s.TerminalCauseKind = None[TurnTerminalCauseKind]()
}
