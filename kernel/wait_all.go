package kernel

import "slices"

// Chapter 04, wait-all: the barrier behind which one run waits for a set of operations.
// There is at most one. Its members are named twice, by operation id and by token; the
// two must stand for each other one to one.

// ResolveWaitAllAdmission asks whether a barrier for these operations could be opened; it
// does not open it. An id given twice is told first, then a barrier that is already
// pending, then an unknown operation. Only the lengths of list and set are compared, and
// the caller brings the id to be told; without it the question is refused.
// Runtime-internal, chapter 04.
type ResolveWaitAllAdmission struct {
	WaitRequestID        WaitRequestId            `json:"wait_request_id"`
	OperationIDSequence  []string                 `json:"operation_id_sequence"`
	OperationIDs         Set[string]              `json:"operation_ids"`
	OperationIDTokens    Set[OperationId]         `json:"operation_id_tokens"`
	OperationTokenByID   Map[string, OperationId] `json:"operation_token_by_id"`
	OperationIDByToken   Map[OperationId, string] `json:"operation_id_by_token"`
	DuplicateOperationID Opt[string]              `json:"duplicate_operation_id"`
	NotFoundOperationID  Opt[string]              `json:"not_found_operation_id"`
}

func (in *ResolveWaitAllAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveWaitAllAdmissionDuplicateRejected", registered5, Stay) &&
		k.guard("duplicate_observed", len(in.OperationIDSequence) > len(in.OperationIDs)) &&
		k.guard("duplicate_witness_present", in.DuplicateOperationID.IsSome()) &&
		k.guard("duplicate_witness_requested", slices.Contains(in.OperationIDSequence, in.DuplicateOperationID.Value())) &&
		k.guard("duplicate_witness_repeated", repeated(in.OperationIDSequence, in.DuplicateOperationID.Value())):

		k.emit(WaitAllAdmissionResolved{
			WaitRequestID:       in.WaitRequestID,
			Result:              WaitAllAdmissionResultKindReject,
			RejectReason:        Some(WaitAllRejectReasonKindDuplicateOperation),
			RejectedOperationID: in.DuplicateOperationID,
		})

	case k.rule("ResolveWaitAllAdmissionActiveRejected", registered5, Stay) &&
		k.guard("no_duplicate_observed", len(in.OperationIDSequence) == len(in.OperationIDs)) &&
		k.guard("wait_already_active", s.WaitActive):

		k.emit(WaitAllAdmissionResolved{
			WaitRequestID: in.WaitRequestID,
			Result:        WaitAllAdmissionResultKindReject,
			RejectReason:  Some(WaitAllRejectReasonKindWaitAlreadyActive),
		})

	case k.rule("ResolveWaitAllAdmissionNotFoundRejected", registered5, Stay) &&
		k.guard("no_duplicate_observed", len(in.OperationIDSequence) == len(in.OperationIDs)) &&
		k.guard("wait_inactive", !s.WaitActive) &&
		k.guard("operation_missing", !keysWithin(in.OperationIDs, s.OpStatuses)) &&
		k.guard("not_found_witness_present", in.NotFoundOperationID.IsSome()) &&
		k.guard("not_found_witness_requested", in.OperationIDs.Has(in.NotFoundOperationID.Value())) &&
		k.guard("not_found_witness_missing", !s.OpStatuses.has(in.NotFoundOperationID.Value())):

		k.emit(WaitAllAdmissionResolved{
			WaitRequestID:       in.WaitRequestID,
			Result:              WaitAllAdmissionResultKindReject,
			RejectReason:        Some(WaitAllRejectReasonKindOperationNotFound),
			RejectedOperationID: in.NotFoundOperationID,
		})

	case k.rule("ResolveWaitAllAdmissionAccepted", registered5, Stay) &&
		k.guard("no_duplicate_observed", len(in.OperationIDSequence) == len(in.OperationIDs)) &&
		k.guard("wait_inactive", !s.WaitActive) &&
		k.guard("operations_tracked", keysWithin(in.OperationIDs, s.OpStatuses)) &&
		k.guard("operation_token_witness_valid",
			tokensMatch(in.OperationIDs, in.OperationIDTokens, in.OperationTokenByID, in.OperationIDByToken)):

		k.emit(WaitAllAdmissionResolved{
			WaitRequestID: in.WaitRequestID,
			Result:        WaitAllAdmissionResultKindAccept,
		})
	}
}

// repeated reports whether id stands in ids more than once.
func repeated(ids []string, id string) bool {
	first := slices.Index(ids, id)
	return first >= 0 && slices.Contains(ids[first+1:], id)
}

// tokensMatch is TOKENS_OK of the chapter: every id has one token and every token one id.
func tokensMatch(ids Set[string], tokens Set[OperationId], tokenOf Map[string, OperationId], idOf Map[OperationId, string]) bool {
	return len(ids) == len(tokens) &&
		sameKeys(tokenOf, ids) &&
		sameKeys(idOf, tokens) &&
		every(tokenOf, func(id string, token OperationId) bool { return idOf[token] == id }) &&
		every(idOf, func(token OperationId, id string) bool { return tokenOf[id] == token })
}

// RequestWaitAll opens the barrier. A barrier without members is legal and satisfied at
// once. Runtime-internal, chapter 04.
type RequestWaitAll struct {
	RunID               RunId                    `json:"run_id"`
	WaitRequestID       WaitRequestId            `json:"wait_request_id"`
	OperationIDSequence []string                 `json:"operation_id_sequence"`
	OperationIDs        Set[string]              `json:"operation_ids"`
	OperationIDTokens   Set[OperationId]         `json:"operation_id_tokens"`
	OperationTokenByID  Map[string, OperationId] `json:"operation_token_by_id"`
	OperationIDByToken  Map[OperationId, string] `json:"operation_id_by_token"`
}

func (in *RequestWaitAll) step(k *Kernel, s *State) {
	switch {
	case k.rule("RequestWaitAll", registered5, Stay) &&
		k.guard("no_duplicate_observed", len(in.OperationIDSequence) == len(in.OperationIDs)) &&
		k.guard("wait_inactive", !s.WaitActive) &&
		k.guard("operations_tracked", keysWithin(in.OperationIDs, s.OpStatuses)) &&
		k.guard("operation_token_witness_valid",
			tokensMatch(in.OperationIDs, in.OperationIDTokens, in.OperationTokenByID, in.OperationIDByToken)):

		s.WaitActive = true
		s.WaitRequestID = Some(in.WaitRequestID)
		s.WaitRunID = Some(in.RunID)
		s.WaitOperationIDs = in.OperationIDs.Clone()
		s.WaitOperationIDTokens = in.OperationIDTokens.Clone()
	}
}

// SatisfyWaitAll closes the barrier once every member has ended; it names the barrier
// exactly. A member that was forgotten meanwhile never satisfies it: then only
// [CancelWaitAll] is left. Runtime-internal, chapter 04.
type SatisfyWaitAll struct {
	WaitRequestID     WaitRequestId    `json:"wait_request_id"`
	RunID             RunId            `json:"run_id"`
	OperationIDTokens Set[OperationId] `json:"operation_id_tokens"`
}

func (in *SatisfyWaitAll) step(k *Kernel, s *State) {
	switch {
	case k.rule("SatisfyWaitAll", registered5, Stay) &&
		k.guard("wait_is_active", s.WaitActive) &&
		k.guard("wait_request_matches", s.WaitRequestID == Some(in.WaitRequestID)) &&
		k.guard("wait_run_matches", s.WaitRunID == Some(in.RunID)) &&
		k.guard("operation_tokens_match", s.WaitOperationIDTokens.Equal(in.OperationIDTokens)) &&
		k.guard("all_members_terminal", s.waitMembersTerminal()):

		s.closeWaitAll()
		k.emit(WaitAllSatisfied{
			WaitRequestID: in.WaitRequestID,
			RunID:         in.RunID,
			OperationIDs:  in.OperationIDTokens.Clone(),
		})
	}
}

// waitMembersTerminal reports whether every member has ended. One that is not known has
// the status Absent, which is no end.
func (s *OpsState) waitMembersTerminal() bool {
	return every(s.WaitOperationIDs, func(id string, _ struct{}) bool { return s.OpStatuses[id].terminal() })
}

// CancelWaitAll gives the barrier up. Without a barrier it is refused, not done silently.
// Runtime-internal, chapter 04.
type CancelWaitAll struct{}

func (in *CancelWaitAll) step(k *Kernel, s *State) {
	switch {
	case k.rule("CancelWaitAll", registered5, Stay) &&
		k.guard("wait_is_active", s.WaitActive):

		s.closeWaitAll()
	}
}

func (s *OpsState) closeWaitAll() {
	s.WaitActive = false
	s.WaitRequestID = None[WaitRequestId]()
	s.WaitRunID = None[RunId]()
	s.WaitOperationIDs = nil
	s.WaitOperationIDTokens = nil
}
