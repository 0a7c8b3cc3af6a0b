package kernel

// Chapter 02, inputs: whether an input may come in at all. How it is then handled is
// decided in admission_plan.go.

// ResolveAdmissionValidation judges the facts of an input before anything is recorded
// of it. In the live phases exactly one of its rules holds, so a rejection is a verdict
// in the effect and not a refusal. Runtime-internal, chapter 02.
type ResolveAdmissionValidation struct {
	InputID                               string                             `json:"input_id"`
	InputKind                             AdmissionInputKind                 `json:"input_kind"`
	InputOrigin                           AdmissionInputOriginKind           `json:"input_origin"`
	Durability                            InputDurabilityKind                `json:"durability"`
	PeerHandlingModeValid                 bool                               `json:"peer_handling_mode_valid"`
	PeerResponseTerminalStructurallyValid bool                               `json:"peer_response_terminal_structurally_valid"`
	PeerResponseTerminalObservedStatus    PeerResponseTerminalObservedStatus `json:"peer_response_terminal_observed_status"`
}

func (in *ResolveAdmissionValidation) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveAdmissionValidationDurabilityMissingRejected", live3, Stay) &&
		k.guard("durability_missing", in.Durability == InputDurabilityKindMissing):

		k.emit(in.rejected(AdmissionRejectReasonKindDurabilityMissing))

	case k.rule("ResolveAdmissionValidationExternalDerivedRejected", live3, Stay) &&
		k.guard("external_derived_forbidden", in.Durability == InputDurabilityKindDerived && !in.InputOrigin.internal()):

		k.emit(in.rejected(AdmissionRejectReasonKindExternalDerivedDurabilityForbidden))

	case k.rule("ResolveAdmissionValidationDerivedKindRejected", live3, Stay) &&
		k.guard("derived_forbidden_for_input_kind",
			in.Durability == InputDurabilityKindDerived && in.InputOrigin.internal() && !in.InputKind.derivable()):

		k.emit(in.rejected(AdmissionRejectReasonKindDerivedDurabilityForbiddenForInputKind))

	case k.rule("ResolveAdmissionValidationPeerHandlingRejected", live3, Stay) &&
		k.guard("durability_authorized", in.durabilityAuthorized()) &&
		k.guard("peer_handling_mode_invalid", !in.PeerHandlingModeValid):

		k.emit(in.rejected(AdmissionRejectReasonKindPeerHandlingModeInvalid))

	case k.rule("ResolveAdmissionValidationPeerTerminalRejected", live3, Stay) &&
		k.guard("durability_authorized", in.durabilityAuthorized()) &&
		k.guard("peer_handling_mode_valid", in.PeerHandlingModeValid) &&
		k.guard("peer_response_terminal_invalid",
			!in.PeerResponseTerminalStructurallyValid ||
				in.PeerResponseTerminalObservedStatus == PeerResponseTerminalObservedStatusCancelled):

		k.emit(in.rejected(AdmissionRejectReasonKindPeerResponseTerminalInvalid))

	case k.rule("ResolveAdmissionValidationAccepted", live3, Stay) &&
		k.guard("durability_authorized", in.durabilityAuthorized()) &&
		k.guard("peer_handling_mode_valid", in.PeerHandlingModeValid) &&
		k.guard("peer_response_terminal_structurally_valid", in.PeerResponseTerminalStructurallyValid) &&
		k.guard("peer_response_terminal_status_supported",
			in.PeerResponseTerminalObservedStatus != PeerResponseTerminalObservedStatusCancelled):

		k.emit(AdmissionValidationResolved{InputID: in.InputID, Result: AdmissionValidationResultKindAccept})
	}
}

func (in *ResolveAdmissionValidation) rejected(reason AdmissionRejectReasonKind) AdmissionValidationResolved {
	return AdmissionValidationResolved{
		InputID:      in.InputID,
		Result:       AdmissionValidationResultKindReject,
		RejectReason: Some(reason),
	}
}

// durabilityAuthorized reports whether the input may be as durable as it says: only the
// runtime itself may call an input derived, and only one it can derive again.
func (in *ResolveAdmissionValidation) durabilityAuthorized() bool {
	switch in.Durability {
	case InputDurabilityKindDurable, InputDurabilityKindEphemeral:
		return true
	case InputDurabilityKindDerived:
		return in.InputOrigin.internal() && in.InputKind.derivable()
	default:
		return false
	}
}

// internal reports whether the input comes from the runtime itself.
func (o AdmissionInputOriginKind) internal() bool {
	return o == AdmissionInputOriginKindFlow || o == AdmissionInputOriginKindSystem
}

// derivable reports whether an input of the kind can be derived again from other facts.
func (n AdmissionInputKind) derivable() bool {
	switch n {
	case AdmissionInputKindPeerResponseProgress, AdmissionInputKindExternalEvent,
		AdmissionInputKindContinuation, AdmissionInputKindOperation:
		return true
	default:
		return false
	}
}

// ResolveAdmissionIdempotency asks whether an input repeats one that came in before.
// The phase of the earlier input does not matter: a key stays claimed after its input
// ended. Runtime-internal, chapter 02.
type ResolveAdmissionIdempotency struct {
	InputID        string      `json:"input_id"`
	IdempotencyKey Opt[string] `json:"idempotency_key"`
}

func (in *ResolveAdmissionIdempotency) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveAdmissionIdempotencyNoKey", live3, Stay) &&
		k.guard("no_idempotency_key", in.IdempotencyKey.IsNone()):

		k.emit(AdmissionIdempotencyResolved{InputID: in.InputID, Result: AdmissionIdempotencyResultKindAccept})

	case k.rule("ResolveAdmissionIdempotencyNewKey", live3, Stay) &&
		k.guard("idempotency_key_present", in.IdempotencyKey.IsSome()) &&
		k.guard("idempotency_key_unclaimed", !s.AdmissionIdempotencyInputs.has(in.IdempotencyKey.Value())):

		k.emit(AdmissionIdempotencyResolved{InputID: in.InputID, Result: AdmissionIdempotencyResultKindAccept})

	case k.rule("ResolveAdmissionIdempotencyDuplicate", live3, Stay) &&
		k.guard("idempotency_key_present", in.IdempotencyKey.IsSome()) &&
		k.guard("idempotency_key_claimed", s.AdmissionIdempotencyInputs.has(in.IdempotencyKey.Value())):

		k.emit(AdmissionIdempotencyResolved{
			InputID:         in.InputID,
			Result:          AdmissionIdempotencyResultKindDeduplicated,
			ExistingInputID: Some(s.AdmissionIdempotencyInputs[in.IdempotencyKey.Value()]),
		})
	}
}

// RegisterAcceptedIdempotency claims a key for a tracked input. Claiming it again for
// the same input is allowed, so that recovery can replay it. Runtime-internal,
// chapter 02.
type RegisterAcceptedIdempotency struct {
	InputID        string `json:"input_id"`
	IdempotencyKey string `json:"idempotency_key"`
}

func (in *RegisterAcceptedIdempotency) step(k *Kernel, s *State) {
	switch {
	case k.rule("RegisterAcceptedIdempotency", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)) &&
		k.guard("idempotency_key_unclaimed_or_same_input",
			!s.AdmissionIdempotencyInputs.has(in.IdempotencyKey) ||
				s.AdmissionIdempotencyInputs[in.IdempotencyKey] == in.InputID):

		s.AdmissionIdempotencyInputs.put(in.IdempotencyKey, in.InputID)
		k.emit(InputLifecycleNotice{})
	}
}
