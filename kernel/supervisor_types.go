package kernel

// Chapter 06, supervisors: the types. The first variant of an enum is its zero value.

// SupervisorBindAdmissionResultKind answers a supervisor that asks to bind.
type SupervisorBindAdmissionResultKind uint8

const (
	// SupervisorBindAdmissionResultKindBootstrap : nobody is bound, its material is looked at next.
	SupervisorBindAdmissionResultKindBootstrap SupervisorBindAdmissionResultKind = iota
	// SupervisorBindAdmissionResultKindIdempotentAck : it is bound already.
	SupervisorBindAdmissionResultKindIdempotentAck
	SupervisorBindAdmissionResultKindReject
)

// SupervisorBindRejectionKind says why a supervisor may not bind.
type SupervisorBindRejectionKind uint8

const (
	SupervisorBindRejectionKindAlreadyBound SupervisorBindRejectionKind = iota
	SupervisorBindRejectionKindSenderMismatch
)

// SupervisorBindMaterialAdmissionKind is the verdict on what a supervisor brings.
type SupervisorBindMaterialAdmissionKind uint8

const (
	SupervisorBindMaterialAdmissionKindAccept SupervisorBindMaterialAdmissionKind = iota
	SupervisorBindMaterialAdmissionKindAddressMismatch
	SupervisorBindMaterialAdmissionKindSenderMismatch
	SupervisorBindMaterialAdmissionKindInvalidPeerSpec
	SupervisorBindMaterialAdmissionKindInvalidBootstrapToken
)

// SupervisorAuthorizeAdmissionResultKind answers a request to hand the session on.
type SupervisorAuthorizeAdmissionResultKind uint8

const (
	SupervisorAuthorizeAdmissionResultKindProceed SupervisorAuthorizeAdmissionResultKind = iota
	SupervisorAuthorizeAdmissionResultKindIdempotentAck
	SupervisorAuthorizeAdmissionResultKindReject
)

// SupervisorAuthorizeRejectionKind says why the session may not be handed on.
type SupervisorAuthorizeRejectionKind uint8

const (
	SupervisorAuthorizeRejectionKindNotBound SupervisorAuthorizeRejectionKind = iota
	// SupervisorAuthorizeRejectionKindStaleSupervisor : the epoch is older than the one in force.
	SupervisorAuthorizeRejectionKindStaleSupervisor
	SupervisorAuthorizeRejectionKindSenderMismatch
)

// SupervisorBridgeCommandAdmissionResultKind answers a command of a supervisor.
type SupervisorBridgeCommandAdmissionResultKind uint8

const (
	SupervisorBridgeCommandAdmissionResultKindAccept SupervisorBridgeCommandAdmissionResultKind = iota
	SupervisorBridgeCommandAdmissionResultKindReject
)

// SupervisorBridgeCommandRejectionKind says why a command is not obeyed.
type SupervisorBridgeCommandRejectionKind uint8

const (
	SupervisorBridgeCommandRejectionKindNotBound SupervisorBridgeCommandRejectionKind = iota
	// SupervisorBridgeCommandRejectionKindStaleSupervisor : another supervisor or epoch is in force, be
	// it an older one.
	SupervisorBridgeCommandRejectionKindStaleSupervisor
	SupervisorBridgeCommandRejectionKindSenderMismatch
)
