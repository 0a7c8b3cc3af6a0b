package subjects

import (
	"fmt"
	"strings"
	"unicode"
)

// TypePrefix starts every event type of ours. Types under it that the catalogue
// does not know are mistakes; types outside are other people's, and admitted as
// external events.
const TypePrefix = "run.kalahari."

// CommitType is the type of a commit, one message of the feed.
const CommitType = TypePrefix + "commit.v1"

// The types of what a session tells itself: through TIME that a deadline has come, and
// through its mailbox that a peer's does not take an event. They are nobody else's.
const (
	DeadlineType = TypePrefix + "self.deadline.v1"
	ReturnedType = TypePrefix + "self.returned.v1"
)

// Class is what sort of event a type is.
type Class string

// The classes of the catalogue.
const (
	ClassInput   Class = "input"   // to a session: something to work on
	ClassCommand Class = "command" // to a session: something to do with it
	ClassEffect  Class = "effect"  // from a session: what its machine did
	ClassOutcome Class = "outcome" // from a session: what became of an input or command
	ClassOutput  Class = "output"  // from a session: what a run produced
	ClassCommit  Class = "commit"  // from a session: one step of its feed
)

// EventType is one line of the catalogue.
type EventType struct {
	Class Class
	// Type is the CloudEvents type.
	Type string
	// Name is how subjects, queries and filters spell it: PascalCase for what
	// leaves a session and for commands, the kind for inputs.
	Name string
	// Description is one sentence.
	Description string
	// Data lists the fields of the event's data, where they are fixed; of a command, all it
	// reads but session_id.
	Data []Field
	// Lifecycle: the event is in the published set "lifecycle".
	Lifecycle bool
	// Signal: the effect is also sent to the session's mob.
	Signal bool
	// ReadOnly: the command changes nothing and is a query at heart.
	ReadOnly bool
}

// Field is one member of an event's data.
type Field struct {
	Name string
	// Type is in the chapters' notation (String, u64, Option<T>, a name of the machine's
	// types), or "any", "object", "time" or "ref", a reference to a blob. "" of an effect:
	// the machine declares it.
	Type string
	// Optional: it may be missing.
	Optional bool
}

// entry is one line of the tables below. Its data are fields written name[?][:type]; the
// type is String if none is named.
type entry struct {
	name, about, data        string
	lifecycle, signal, reads bool
}

// inputs are the kinds of input.
var inputs = []entry{
	{name: "prompt", about: "Something a user says.", data: "text? content?:any input_id? handling_mode?:lane"},
	{name: "peer_message", about: "A message of a peer that expects no answer.", data: "peer_id? display_identity? request_id? body? content?:any payload?:any intent?"},
	{name: "peer_request", about: "A request of a peer.", data: "peer_id? display_identity? request_id? intent? body? content?:any payload?:any"},
	{name: "peer_response_progress", about: "A peer reports progress on our request.", data: "peer_id? display_identity? request_id? status? body? content?:any payload?:any"},
	{name: "peer_response_terminal", about: "A peer answers our request.", data: "peer_id display_identity request_id status:answer runtime_id?:Option<String> error?:object body? content?:any payload?:any"},
	{name: "flow_step", about: "A step of a flow of the mob.", data: "step_id? text? content?:any"},
	{name: "external_event", about: "Any event from elsewhere, carried unchanged."},
	{name: "continuation", about: "The session goes on by itself.", data: "reason? continuation_kind?:continuation handling_mode?:lane context_append?:any turn_append?:any"},
	{name: "operation", about: "News of an operation the session started."},
}

// outcomes tell what became of an input or command, and of a session under a hold.
var outcomes = []entry{
	{name: "InputAccepted", about: "The input was admitted.", data: "input_id lane:InputLane plan:AdmissionPlanKind", lifecycle: true},
	{name: "InputDeduplicated", about: "The input is a repetition of an earlier one.", data: "input_id existing_input_id", lifecycle: true},
	{name: "InputRejected", about: "The input was refused.", data: "input_id kind reason guard?", lifecycle: true},
	{name: "InputStaged", about: "The input was staged for a run.", data: "input_id run_id attempt:u64"},
	{name: "InputApplied", about: "The input was applied at a boundary of a run.", data: "input_id run_id boundary_sequence:u64"},
	{name: "InputCompleted", about: "The input is terminal; there is exactly one of these for each accepted input.", data: "input_id run_id? terminal_outcome:InputPublicTerminalOutcome reason? result?:any result_ref?:ref", lifecycle: true},
	{name: "CommandApplied", about: "The command was carried out.", data: "command report:any action?", lifecycle: true},
	{name: "CommandRejected", about: "The command was refused.", data: "command kind reason phase? rule? guard? code? action?", lifecycle: true},
	{name: "PeerUndelivered", about: "A peer's mailbox did not take an event.", data: "to event type request_id? reason", lifecycle: true},
	{name: "OperationEnded", about: "An operation ended: a row of the completion feed.", data: "epoch seq:u64 operation_id kind:OperationKind display_name terminal_outcome:OperationTerminalOutcomeKind payload:OpTerminalPayload ended_at:time", lifecycle: true},
	{name: "SessionPaused", about: "The session starts no more runs, by command or since it gave an input up.", data: "by reason? since:time", lifecycle: true},
	{name: "SessionResumed", about: "The session starts runs again.", data: "inputs_waiting:u64", lifecycle: true},
}

// outputs are what runs produce.
var outputs = []entry{
	{name: "RunOutput", about: "What a run produced.", data: "run_id content?:any content_ref?:ref usage?:object", lifecycle: true},
}

// commands are those of the machine's command table, in its order; then the interrupt,
// which the reference reaches by another way, and ours. Their data are the fields that are
// read, beside the session_id that all have; what is not named here is refused.
var commands = []entry{
	{name: "EnsureSessionWithExecutor", about: "Register the session and give it an executor."},
	{name: "RegisterSession", about: "Register the session."},
	{name: "UnregisterSession", about: "Unregister the session, in order."},
	{name: "SetSilentIntents", about: "Set the intents that do not wake the session.", data: "intents?:Set<String>"},
	{name: "CancelAfterBoundary", about: "Cancel the current run at its next boundary.", data: "reason?"},
	{name: "StopRuntimeExecutor", about: "Stop the executor and abandon what is queued.", data: "reason?"},
	{name: "CommitServiceTurnTerminalReceipt", about: "Commit the receipt of a finished service turn."},
	{name: "ContainsSession", about: "Is the session registered?", reads: true},
	{name: "SessionHasExecutor", about: "Has the session an executor?", reads: true},
	{name: "SessionHasComms", about: "Is the session attached to peers?", reads: true},
	{name: "OpsLifecycleRegistry", about: "The operations of the session.", data: "after?:u64", reads: true},
	{name: "PrepareBindings", about: "Register the session and prepare its runtime bindings.", data: "agent_runtime_id?:Option<AgentRuntimeId> fence_token?:Option<FenceToken> generation?:Option<Generation> runtime_epoch_id?:Option<RuntimeEpochId>"},
	{name: "PrepareLocalSessionBindings", about: "Register the session and prepare local bindings."},
	{name: "InputState", about: "The state of one input.", data: "input_id", reads: true},
	{name: "ListActiveInputs", about: "The inputs that are not terminal.", reads: true},
	{name: "ReconfigureSessionLlmIdentity", about: "Change the model identity of the session.", data: "target_identity:identity target_capability_surface:SessionLlmCapabilitySurface view_image_tool_available?:bool previous_identity?:SessionLlmIdentity previous_visibility_state?:SessionToolVisibilityState previous_capability_surface?:Option<SessionLlmCapabilitySurface> previous_capability_surface_status?:SessionLlmCapabilitySurfaceStatus previous_capability_base_filter?:ToolFilter previous_view_image_visible?:bool next_view_image_visible?:bool previous_active_visibility_revision?:u64 previous_staged_visibility_revision?:u64 next_visibility_state?:SessionToolVisibilityState next_capability_base_filter?:ToolFilter next_active_visibility_revision?:u64 tool_visibility_delta?:SessionToolVisibilityDelta"},
	{name: "StagePersistentFilter", about: "Stage a persistent filter of visible tools.", data: "filter:ToolFilter witnesses?:witnesses"},
	{name: "RequestDeferredTools", about: "Request that deferred tools be loaded.", data: "authorities:witnesses"},
	{name: "PublishCommittedVisibleSet", about: "Publish the committed set of visible tools.", data: "visibility_state:visibility"},
	{name: "SetPeerIngressContext", about: "Attach the session to its peers or mob, or detach it.", data: "keep_alive:bool comms_runtime_id?:Option<CommsRuntimeId> mob_id?:Option<MobId>"},
	{name: "NotifyDrainExited", about: "Report that the comms drain exited.", data: "reason:DrainExitReason"},
	{name: "AbortAll", about: "Stop the comms drains."},
	{name: "Abort", about: "Stop the comms drain of the session."},
	{name: "Wait", about: "Wait for the comms drain of the session."},
	{name: "Ingest", about: "Admit an input through the runtime.", data: "input?:carried work_id? runtime_id?:Option<AgentRuntimeId> fence_token?:Option<FenceToken> generation?:Option<Generation> runtime_epoch_id?:Option<RuntimeEpochId> origin?:Option<WorkOrigin>"},
	{name: "PublishEvent", about: "Publish an event into the runtime.", data: "kind:RuntimeEventKind"},
	{name: "Retire", about: "Retire the runtime: finish what is queued, take no more."},
	{name: "Recycle", about: "Start the runtime over, keeping its inputs."},
	{name: "Reset", about: "Start the runtime over, abandoning its inputs."},
	{name: "Recover", about: "Recover the runtime from its store."},
	{name: "Destroy", about: "Destroy the runtime, for good."},
	{name: "RuntimeState", about: "The visible phase of the runtime.", data: "runtime_id?", reads: true},
	{name: "ResolvedSessionLlmCapabilities", about: "What the session's model can do.", reads: true},
	{name: "ConfigureModelRoutingBaseline", about: "Set the model that routing starts from.", data: "baseline_model realtime_capable?:bool"},
	{name: "SessionModelRoutingStatus", about: "The model routing of the session.", reads: true},
	{name: "RequestSwitchTurn", about: "Request another model, for some turns or until changed.", data: "request_id:uuid target_model turns?:u64 until_changed?:bool target_realtime_capable?:bool approval?:approval approval_reason?:Option<RoutingSwitchApprovalReason> realtime_detach_allowed?:bool target_identity?:identity target_capability_surface?:SessionLlmCapabilitySurface view_image_tool_available?:bool"},
	{name: "AdmitModelRoutingAssistantTurn", about: "Count an assistant turn for model routing."},
	{name: "BeginImageOperation", about: "Begin an image operation.", data: "operation_id:uuid target_model target_realtime_capable?:bool requires_scoped_override?:bool approval?:approval approval_reason?:Option<RoutingImageApprovalReason> realtime_detach_allowed?:bool"},
	{name: "DenyImageOperationPlan", about: "Deny the plan of an image operation.", data: "operation_id:uuid reason:RoutingImagePlanDenialReason"},
	{name: "ActivateImageOperationOverride", about: "Activate the model override of an image operation.", data: "operation_id:uuid"},
	{name: "ClassifyImageOperationTerminal", about: "Classify how an image operation ended.", data: "operation_id:uuid observation:RoutingImageTerminalObservation http_status_code?:Option<u64> error_code?:Option<RoutingImageProviderErrorCode> provider_text?:RoutingProviderTextDisposition"},
	{name: "CompleteImageOperation", about: "Complete an image operation.", data: "operation_id:uuid terminal:RoutingImageTerminal terminal_payload?:object"},
	{name: "RestoreImageOperationOverride", about: "Restore the model after an image operation.", data: "operation_id:uuid"},
	{name: "LoadBoundaryReceipt", about: "The receipt of one boundary of a run.", data: "run_id? sequence?:Option<u64> runtime_id?", reads: true},
	{name: "AcceptWithCompletion", about: "Admit an input and report its completion.", data: "input:carried input_id? register_completion?:bool"},
	{name: "AcceptWithoutWake", about: "Admit an input without waking the session.", data: "input:carried input_id? register_completion?:bool"},
	{name: "Interrupt", about: "Cancel the current run now."},
	{name: "Pause", about: "Start no more runs; inputs are admitted as ever.", data: "reason?"},
	{name: "Resume", about: "Start runs again."},
	{name: "HydrateSessionLlmState", about: "Say which model the session has, and what that model can do.", data: "current_identity:identity current_capability_surface?:Option<SessionLlmCapabilitySurface>"},
	{name: "ReplaceToolCatalogs", about: "Say which tools the session is offered, and which of them are deferred.", data: "tools:tools"},
	{name: "SendMessage", about: "Say something to another session.", data: "to lane?:lane request_id?:uuid body? content?:any payload?:any"},
	{name: "SendRequest", about: "Ask another session, with a deadline.", data: "to intent? lane?:lane request_id?:uuid timeout? stream?:bool stream_ttl? body? content?:any payload?:any"},
	{name: "SendResponse", about: "Answer a request of another session, with progress or for good.", data: "request_id:uuid status:PeerIngressResponseStatus lane?:lane body? content?:any payload?:any"},
	{name: "AttachInteractionStream", about: "Begin to read the interaction stream reserved with a request.", data: "request_id:uuid"},
	{name: "CloseInteractionStream", about: "Stop reading an interaction stream before the answer.", data: "request_id:uuid"},
	{name: "RegisterOperation", about: "Register an operation: work that outlives a run.", data: "kind:OperationKind operation_id? display_name? source_label? source?:Option<OperationSource> max_concurrent?:Option<u64>"},
	{name: "StartOperation", about: "An operation was provisioned and runs.", data: "operation_id"},
	{name: "ReportOperationProgress", about: "An operation made progress.", data: "operation_id message?"},
	{name: "AnnounceOperationPeer", about: "The peer an operation brings up is ready.", data: "operation_id"},
	{name: "CompleteOperation", about: "An operation is done.", data: "operation_id content? is_error?:bool duration_ms?:Option<u64> tokens_used?:u64"},
	{name: "FailOperation", about: "An operation failed.", data: "operation_id error?"},
	{name: "CancelOperation", about: "An operation was cancelled.", data: "operation_id reason?:Option<String>"},
	{name: "AbortOperation", about: "An operation was given up before it ran.", data: "operation_id reason?:Option<String>"},
	{name: "RetireOperation", about: "An operation is asked to come to its end.", data: "operation_id"},
	{name: "FinishOperationRetirement", about: "An operation that was asked to has come to its end.", data: "operation_id"},
	{name: "TerminateOperations", about: "End every operation of the session.", data: "reason?"},
	{name: "CollectOperations", about: "Take the outcomes of ended operations and forget them."},
	{name: "WaitAll", about: "Wait until all of some operations have ended.", data: "operation_ids?:Seq<String> run_id?"},
	{name: "CancelWaitAll", about: "Stop waiting for operations."},
	{name: "AdvanceCompletionCursor", about: "Note how far the completion feed was read.", data: "consumer:consumer cursor:u64"},
	{name: "StageDeferredSession", about: "Stage a session that is to be built later.", data: "llm_identity:identity keep_alive?:bool has_comms_name?:bool machine_archived_resume_authorized?:bool"},
	{name: "UpdateDeferredSessionKeepAlive", about: "Change whether a staged session is kept alive.", data: "keep_alive:bool has_comms_name?:bool"},
	{name: "UpdateDeferredSessionLlmIdentity", about: "Change the model a staged session will have.", data: "llm_identity:identity"},
	{name: "AuthorizeDeferredSessionSystemContextAppend", about: "Add system context to a staged session.", data: "key content"},
	{name: "BeginDeferredSessionPromotion", about: "Begin to build a staged session."},
	{name: "AuthorizeDeferredSessionMachineArchivedResume", about: "Let the promotion under way resume an archived session."},
	{name: "AbandonDeferredSessionPromotion", about: "Give up building a staged session; it stays staged."},
	{name: "FinishDeferredSessionPromotion", about: "Make a staged session live."},
	{name: "BeginDeferredSessionArchive", about: "Begin to archive a staged session."},
	{name: "RestoreDeferredSessionArchive", about: "Give up archiving a staged session; it stays staged."},
	{name: "FinishDeferredSessionArchive", about: "Say that a staged session is archived; nothing is staged any more."},
	{name: "DropDeferredSession", about: "Drop a staged session."},
	{name: "ResolveMobOperatorCreateAuthority", about: "Grant the authority over mobs to a principal, or take it away.", data: "request_kind:MobOperatorAccessRequestKind principal_token? caller_provenance?:Option<MobToolCallerProvenance> audit_invocation_id?:Option<String>"},
	{name: "RestoreMobOperatorAuthority", about: "Take over an authority over mobs as it was stored.", data: "principal_token can_create_mobs?:bool can_mutate_profiles?:bool managed_mob_scope?:Set<String> spawn_profile_scope?:scopes caller_provenance?:Option<MobToolCallerProvenance> audit_invocation_id?:Option<String>"},
	{name: "SetMobOperatorCreateAuthority", about: "Allow or forbid the session to create mobs.", data: "allowed:bool"},
	{name: "SetMobOperatorProfileMutation", about: "Allow or forbid the session to change profiles.", data: "allowed:bool"},
	{name: "GrantMobOperatorManageMob", about: "Let the session manage a mob.", data: "mob_id"},
	{name: "SetMobOperatorSpawnProfilesInMob", about: "Set the profiles the session may spawn in a mob.", data: "mob_id profiles:Set<String>"},
}

// effects are the public ones: those the machine declares external or routed, and
// the four of a run's life. In the order of their declaration.
var effects = []entry{
	{name: "RuntimeBound", about: "The session was bound to a runtime of its mob.", data: "agent_runtime_id fence_token", signal: true, lifecycle: true},
	{name: "RuntimeRetired", about: "The session's runtime retired: it finishes what it has and takes no more.", data: "agent_runtime_id fence_token", signal: true, lifecycle: true},
	{name: "RuntimeDestroyed", about: "The session's runtime was destroyed, for good.", data: "agent_runtime_id fence_token", signal: true, lifecycle: true},
	{name: "TurnRunStarted", about: "A run began.", data: "run_id", lifecycle: true},
	{name: "TurnRunCompleted", about: "A run came to its end.", data: "run_id outcome", lifecycle: true},
	{name: "TurnRunFailed", about: "A run failed.", data: "run_id terminal_cause_kind error", lifecycle: true},
	{name: "TurnRunCancelled", about: "A run was cancelled.", data: "run_id reason", lifecycle: true},
	{name: "CommittedVisibleSetPublished", about: "The set of tools visible to the session changed and is committed.", data: "revision", lifecycle: true},
	{name: "RuntimeNotice", about: "Something an observer of the runtime should know.", data: "kind detail", lifecycle: true},
	{name: "ModelRoutingStatusChanged", about: "The model routing of the session changed.", data: "topology_epoch", lifecycle: true},
	{name: "SwitchTurnDenied", about: "A request to switch the model was denied.", data: "request_id reason", lifecycle: true},
	{name: "ImageOperationPhaseChanged", about: "An image operation entered a phase.", data: "operation_id phase", lifecycle: true},
	{name: "ImageOperationDenied", about: "An image operation was denied.", data: "operation_id reason", lifecycle: true},
	{name: "ModelRoutingApprovalTerminalized", about: "An approval for model routing was decided.", data: "approval_id phase", lifecycle: true},
	{name: "IngressAccepted", about: "The runtime took an input in."},
	{name: "InputLifecycleNotice", about: "An input moved along its lifecycle."},
	{name: "IngressNotice", about: "An event was published into the runtime.", lifecycle: true},
	{name: "SilentIntentApplied", about: "An intent was applied without waking the session.", lifecycle: true},
	{name: "WaitAllSatisfied", about: "All operations a run waited for are done.", data: "wait_request_id run_id operation_ids", lifecycle: true},
	{name: "ScheduleSurfaceCompletion", about: "An operation on a tool surface is to be completed.", data: "surface_id operation pending_task_sequence staged_intent_sequence applied_at_turn", lifecycle: true},
	{name: "RefreshVisibleSurfaceSet", about: "The visible tool surfaces are to be refreshed.", data: "snapshot_epoch", lifecycle: true},
	{name: "EmitExternalToolDelta", about: "A tool surface changed.", data: "surface_id operation phase cause", lifecycle: true},
	{name: "RejectSurfaceCall", about: "A call to a tool surface was rejected.", data: "surface_id cause", lifecycle: true},
	{name: "PublishSupervisorTrustEdge", about: "The supervisor is to be trusted as a peer.", data: "local_endpoint peer_id name address signing_public_key epoch", lifecycle: true},
	{name: "RevokeSupervisorTrustEdge", about: "The supervisor is no longer to be trusted as a peer.", data: "local_endpoint peer_id epoch", lifecycle: true},
	{name: "McpServerStateChanged", about: "An MCP server changed its state.", data: "server_id new_state", lifecycle: true},
	{name: "McpServerReloadRequested", about: "An MCP server is to be reloaded.", data: "server_id", lifecycle: true},
	{name: "PeerInteractionStateChanged", about: "A request to a peer changed its state.", data: "corr_id new_state", lifecycle: true},
	{name: "PeerInteractionCleanup", about: "A request to a peer is over and may be forgotten.", data: "corr_id", lifecycle: true},
	{name: "InboundPeerInteractionStateChanged", about: "A request from a peer changed its state.", data: "corr_id new_state", lifecycle: true},
	{name: "SessionContextAdvanced", about: "The context of the session advanced.", data: "updated_at_ms"},
	{name: "InteractionStreamStateChanged", about: "The stream of an interaction with a peer changed its state.", data: "corr_id new_state", lifecycle: true},
	{name: "InteractionStreamCleanup", about: "The stream of an interaction with a peer is over and may be forgotten.", data: "corr_id", lifecycle: true},
	{name: "LocalEndpointChanged", about: "The endpoint at which peers reach the session changed.", data: "endpoint", lifecycle: true},
	{name: "PeerProjectionChanged", about: "The peers known to the session changed.", data: "peer_projection_epoch", lifecycle: true},
	{name: "CommsTrustReconcileRequested", about: "The trusted peers are to be reconciled with the session's.", data: "local_endpoint peer_projection_epoch direct_peer_endpoints mob_overlay_peer_endpoints", lifecycle: true},
	{name: "RequestRuntimeLoopStopForUnregister", about: "The run loop is to stop, since the session unregisters.", data: "session_id", lifecycle: true},
	{name: "RequestCommsDrainExitForUnregister", about: "The comms drain is to exit, since the session unregisters.", data: "session_id", lifecycle: true},
	{name: "RequestCompletionWaiterResolutionForUnregister", about: "Those who wait for completions are to be answered, since the session unregisters.", data: "session_id", lifecycle: true},
}

var (
	catalogue []EventType
	byType    = map[string]*EventType{}
	byName    = map[string]*EventType{} // of what leaves a session
)

func init() {
	add := func(class Class, entries []entry) {
		for _, e := range entries {
			name := e.name
			if class != ClassInput {
				name = Snake(name)
			}
			catalogue = append(catalogue, EventType{
				Class: class, Type: typeOf(class, name), Name: e.name, Description: e.about,
				Data: fieldsOf(class, e.data), Lifecycle: e.lifecycle, Signal: e.signal, ReadOnly: e.reads,
			})
		}
	}
	add(ClassInput, inputs)
	add(ClassCommand, commands)
	add(ClassOutcome, outcomes)
	add(ClassOutput, outputs)
	add(ClassEffect, effects)
	catalogue = append(catalogue, EventType{
		Class: ClassCommit, Type: CommitType, Name: "Commit",
		Description: "One step of a session: its public events in order, and the record to fold.",
		Data:        fieldsOf(ClassCommit, "events?:events record?:object dataref?:ref"),
	})
	for i := range catalogue {
		t := &catalogue[i]
		byType[t.Type] = t
		switch t.Class {
		case ClassOutcome, ClassOutput, ClassEffect:
			byName[t.Name] = t
		}
	}
}

func fieldsOf(class Class, data string) (fields []Field) {
	for _, text := range strings.Fields(data) {
		name, typ, typed := strings.Cut(text, ":")
		if !typed && class != ClassEffect {
			typ = "String"
		}
		name, optional := strings.CutSuffix(name, "?")
		fields = append(fields, Field{Name: name, Type: typ, Optional: optional})
	}
	return fields
}

func typeOf(class Class, name string) string { return TypePrefix + string(class) + "." + name + ".v1" }

// Catalogue is every event type, inputs first, in a fixed order. The slice is a
// copy.
func Catalogue() []EventType { return append([]EventType(nil), catalogue...) }

// Lookup finds an event type in the catalogue.
func Lookup(eventType string) (EventType, bool) {
	if t := byType[eventType]; t != nil {
		return *t, true
	}
	return EventType{}, false
}

// Reserved tells whether a type is ours to define: an unknown type that is
// reserved is a mistake of its producer, not an event from elsewhere.
func Reserved(eventType string) bool { return strings.HasPrefix(eventType, TypePrefix) }

// InputType is the event type of an input kind.
func InputType(kind string) string { return typeOf(ClassInput, kind) }

// ParseInputType reads the kind off the type of an input. It knows the kinds of
// the catalogue only.
func ParseInputType(eventType string) (kind string, ok bool) {
	t := byType[eventType]
	if t == nil || t.Class != ClassInput {
		return "", false
	}
	return t.Name, true
}

// CommandType is the event type of a command, by its snake_case or PascalCase
// name.
func CommandType(name string) string { return typeOf(ClassCommand, Snake(name)) }

// CommandName is the name of the command that an event of the given type asks for, be it
// known or not.
func CommandName(eventType string) (name string, ok bool) {
	name, ours := strings.CutPrefix(eventType, TypePrefix+string(ClassCommand)+".")
	name, versioned := strings.CutSuffix(name, ".v1")
	if !ours || !versioned {
		return "", false
	}
	return name, true
}

// ParseCommandType reads the snake_case name off the type of a command. It knows
// the commands of the catalogue only.
func ParseCommandType(eventType string) (name string, ok bool) {
	t := byType[eventType]
	if t == nil || t.Class != ClassCommand {
		return "", false
	}
	return CommandName(t.Type)
}

// EffectType is the event type of a machine effect, by its PascalCase name.
func EffectType(name string) string { return outType(ClassEffect, name) }

// OutcomeType is the event type of an outcome, by its PascalCase name.
func OutcomeType(name string) string { return outType(ClassOutcome, name) }

// OutputType is the event type of an output, by its PascalCase name.
func OutputType(name string) string { return outType(ClassOutput, name) }

func outType(class Class, name string) string {
	if t := byName[name]; t != nil && t.Class == class {
		return t.Type
	}
	return typeOf(class, Snake(name))
}

// EventName is the PascalCase name of an effect, outcome or output by its type:
// the last token of its fx subject.
func EventName(eventType string) (name string, ok bool) {
	t := byType[eventType]
	if t == nil || byName[t.Name] != t {
		return "", false
	}
	return t.Name, true
}

// Public is the effect, outcome or output of that PascalCase name, nil if there is none: a
// machine effect that is not public stays in the commit's record. It is the catalogue's own,
// to be read only.
func Public(name string) *EventType { return byName[name] }

// PublishedSet names which public events get a message of their own on fx.
type PublishedSet string

// The published sets. The zero value is "not said" (see [Settings]) and counts
// as lifecycle.
const (
	// PublishLifecycle is the default: what happened to inputs, commands and
	// runs, signals, and the externally visible effects that are rare.
	PublishLifecycle PublishedSet = "lifecycle"
	// PublishAll is every public event.
	PublishAll PublishedSet = "all"
	// PublishNone leaves everything to the feed.
	PublishNone PublishedSet = "none"
)

// ParsePublishedSet reads a set's name; "" is the default.
func ParsePublishedSet(s string) (PublishedSet, error) {
	switch p := PublishedSet(s); p {
	case "":
		return PublishLifecycle, nil
	case PublishLifecycle, PublishAll, PublishNone:
		return p, nil
	}
	return "", fmt.Errorf("published set %q: lifecycle, all or none", s)
}

// Includes tells whether an effect, outcome or output is published on fx.
func (p PublishedSet) Includes(t *EventType) bool {
	switch p {
	case PublishAll:
		return true
	case PublishNone:
		return false
	}
	return t.Lifecycle
}

// Snake turns PascalCase into snake_case. A run of capitals is one word, a
// digit belongs to the word before it; snake_case stays as it is.
func Snake(s string) string {
	runes := []rune(s)
	var b strings.Builder
	b.Grow(len(s) + 8)
	for i, r := range runes {
		if unicode.IsUpper(r) {
			after := i > 0 && runes[i-1] != '_' && !unicode.IsUpper(runes[i-1])
			before := i > 0 && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if after || before {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
