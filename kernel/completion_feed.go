package kernel

// Chapter 04, completion feed: the operations that have ended, each with its completion
// number, and how far each reader of the feed has come. Readers move on their own: no
// cursor is bounded by the feed or by another cursor.

// inFeed reports whether the end of an operation of this kind is told to anybody. A
// capacity slot only reserves a place.
func (kind OperationKind) inFeed() bool {
	return kind == OperationKindBackgroundToolOp || kind == OperationKindMobMemberChild
}

// putFeedRow writes the one row an operation id has in the feed; an earlier end of the
// same id is overwritten.
func (s *OpsState) putFeedRow(op string, seq uint64, kind OperationKind, outcome OperationTerminalOutcomeKind, payload OpTerminalPayload) {
	s.CompletionFeedSequences.put(op, seq)
	s.CompletionFeedKinds.put(op, kind)
	s.CompletionFeedTerminalOutcomes.put(op, outcome)
	s.CompletionFeedTerminalPayload.put(op, payload)
}

// RecoverCompletionFeedEntry puts a row of the feed back whose operation was forgotten.
// It does not move the last completion number: [RecoverOpsCompletionCursor] comes first.
// Runtime-internal, chapter 04.
type RecoverCompletionFeedEntry struct {
	OperationID        string                       `json:"operation_id"`
	Kind               OperationKind                `json:"kind"`
	TerminalOutcome    OperationTerminalOutcomeKind `json:"terminal_outcome"`
	TerminalPayload    OpTerminalPayload            `json:"terminal_payload"`
	CompletionSequence uint64                       `json:"completion_sequence"`
}

func (in *RecoverCompletionFeedEntry) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverCompletionFeedEntry", registered5, Stay) &&
		k.guard("public_completion_kind", in.Kind.inFeed()) &&
		k.guard("completion_sequence_nonzero", in.CompletionSequence > 0) &&
		k.guard("completion_sequence_within_recovered_cursor", in.CompletionSequence <= s.NextCompletionSeq) &&
		k.guard("completion_sequence_unclaimed", !s.CompletionSequenceClaims.Has(in.CompletionSequence)) &&
		k.guard("feed_entry_absent", !s.CompletionFeedSequences.has(in.OperationID)) &&
		k.guard("terminal_payload_variant_matches_outcome", in.TerminalPayload.outcome() == in.TerminalOutcome):

		s.CompletionSequenceClaims.add(in.CompletionSequence)
		s.putFeedRow(in.OperationID, in.CompletionSequence, in.Kind, in.TerminalOutcome, in.TerminalPayload)
		k.emit(CompletionFeedEntryRecovered{
			OperationID:     in.OperationID,
			Seq:             in.CompletionSequence,
			Kind:            in.Kind,
			TerminalOutcome: in.TerminalOutcome,
			TerminalPayload: in.TerminalPayload,
		})
	}
}

// RecoverOpsCompletionCursor puts the last completion number back; it never goes
// backwards. Runtime-internal, chapter 04.
type RecoverOpsCompletionCursor struct {
	NextCompletionSeq uint64 `json:"next_completion_seq"`
}

func (in *RecoverOpsCompletionCursor) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverOpsCompletionCursor", registered5, Stay):

		s.NextCompletionSeq = max(s.NextCompletionSeq, in.NextCompletionSeq)
	}
}

// RecoverCompletionConsumerCursors puts the cursors of all three readers back.
// Runtime-internal, chapter 04.
type RecoverCompletionConsumerCursors struct {
	AgentAppliedCursor    uint64 `json:"agent_applied_cursor"`
	RuntimeObservedCursor uint64 `json:"runtime_observed_cursor"`
	RuntimeInjectedCursor uint64 `json:"runtime_injected_cursor"`
}

func (in *RecoverCompletionConsumerCursors) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverCompletionConsumerCursors", registered5, Stay):

		s.CompletionAgentAppliedCursor = max(s.CompletionAgentAppliedCursor, in.AgentAppliedCursor)
		s.CompletionRuntimeObservedCursor = max(s.CompletionRuntimeObservedCursor, in.RuntimeObservedCursor)
		s.CompletionRuntimeInjectedCursor = max(s.CompletionRuntimeInjectedCursor, in.RuntimeInjectedCursor)
		k.emit(AgentCompletionCursorAdvanced{Cursor: s.CompletionAgentAppliedCursor})
		k.emit(RuntimeObservedCompletionCursorAdvanced{Cursor: s.CompletionRuntimeObservedCursor})
		k.emit(RuntimeInjectedCompletionCursorAdvanced{Cursor: s.CompletionRuntimeInjectedCursor})
	}
}

// AdvanceAgentCompletionCursor records how far the agent has been told of the feed. Here
// as for the other two readers a position already passed is no refusal: the answer is
// the cursor as it stands. Runtime-internal, chapter 04.
type AdvanceAgentCompletionCursor struct {
	Cursor uint64 `json:"cursor"`
}

func (in *AdvanceAgentCompletionCursor) step(k *Kernel, s *State) {
	switch {
	case k.rule("AdvanceAgentCompletionCursor", registered5, Stay):

		s.CompletionAgentAppliedCursor = max(s.CompletionAgentAppliedCursor, in.Cursor)
		k.emit(AgentCompletionCursorAdvanced{Cursor: s.CompletionAgentAppliedCursor})
	}
}

// AdvanceRuntimeObservedCompletionCursor records how far the runtime loop has looked at
// the feed. Runtime-internal, chapter 04.
type AdvanceRuntimeObservedCompletionCursor struct {
	Cursor uint64 `json:"cursor"`
}

func (in *AdvanceRuntimeObservedCompletionCursor) step(k *Kernel, s *State) {
	switch {
	case k.rule("AdvanceRuntimeObservedCompletionCursor", registered5, Stay):

		s.CompletionRuntimeObservedCursor = max(s.CompletionRuntimeObservedCursor, in.Cursor)
		k.emit(RuntimeObservedCompletionCursorAdvanced{Cursor: s.CompletionRuntimeObservedCursor})
	}
}

// AdvanceRuntimeInjectedCompletionCursor records up to where the runtime loop has woken
// the session with an input. Runtime-internal, chapter 04.
type AdvanceRuntimeInjectedCompletionCursor struct {
	Cursor uint64 `json:"cursor"`
}

func (in *AdvanceRuntimeInjectedCompletionCursor) step(k *Kernel, s *State) {
	switch {
	case k.rule("AdvanceRuntimeInjectedCompletionCursor", registered5, Stay):

		s.CompletionRuntimeInjectedCursor = max(s.CompletionRuntimeInjectedCursor, in.Cursor)
		k.emit(RuntimeInjectedCompletionCursorAdvanced{Cursor: s.CompletionRuntimeInjectedCursor})
	}
}
