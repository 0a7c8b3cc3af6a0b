package kernel_test

import (
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
)

// The parts of a reconfigure plan must agree with each other, each of them (chapter 05,
// planOk). The plan is that of the chapter's fifth worked example; every case spoils one
// part.
func TestReconfigurePlanMustAgree(t *testing.T) {
	withImages := kernel.SessionLlmCapabilitySurface{ImageToolResults: true}
	noViewImage := kernel.ToolFilter{Kind: kernel.FilterDeny, Names: kernel.SetOf[kernel.ToolName]("view_image")}
	other := kernel.ToolFilter{Kind: kernel.FilterDeny, Names: kernel.SetOf[kernel.ToolName]("other")}
	witnesses := kernel.Map[kernel.ToolName, kernel.ToolVisibilityWitness]{"other": {}}

	plan := func() *kernel.ReconfigureSessionLlmIdentity {
		return &kernel.ReconfigureSessionLlmIdentity{
			PreviousCapabilitySurface:       kernel.Some(withImages),
			PreviousCapabilitySurfaceStatus: kernel.SessionLlmCapabilitySurfaceStatusResolved,
			ViewImageToolAvailable:          true,
			PreviousViewImageVisible:        true,
			NextCapabilityBaseFilter:        noViewImage.Clone(),
			NextActiveVisibilityRevision:    1,
			NextVisibilityState: kernel.SessionToolVisibilityState{
				CapabilityBaseFilter: noViewImage.Clone(),
				ActiveRevision:       1,
			},
			ToolVisibilityDelta: kernel.SessionToolVisibilityDelta{
				CurrentCapabilityBaseFilter: noViewImage.Clone(),
				CommittedVisibleSetChanged:  true,
				RevisionBumped:              true,
			},
		}
	}
	apply := func(in *kernel.ReconfigureSessionLlmIdentity) kernel.Outcome {
		st := kernel.NewState()
		st.LifecyclePhase = kernel.Idle
		st.SessionID = kernel.Some[kernel.SessionId]("s")
		st.CurrentSessionLlmIdentity = kernel.Some(kernel.SessionLlmIdentity{})
		st.CurrentSessionCapabilitySurface = kernel.Some(withImages)
		st.CurrentSessionCapabilitySurfaceStatus = kernel.SessionLlmCapabilitySurfaceStatusResolved
		return kernel.Resume(st).Apply(in)
	}

	if o := apply(plan()); !o.OK() {
		t.Fatalf("the plan of the chapter: %s", o.Refusal)
	}
	for name, spoil := range map[string]func(*kernel.ReconfigureSessionLlmIdentity){
		"previous base filter": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.PreviousVisibilityState.CapabilityBaseFilter = other
		},
		"next base filter": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.CapabilityBaseFilter = kernel.ToolFilter{
				Kind: kernel.FilterDeny, Names: kernel.SetOf[kernel.ToolName]("view_image", "other"),
			}
		},
		"inherited filter": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.InheritedBaseFilter = other
		},
		"active filter": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.ActiveFilter = other
		},
		"staged filter": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.StagedFilter = other
		},
		"active names": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.ActiveRequestedDeferredNames = other.Names
		},
		"staged names": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.StagedRequestedDeferredNames = other.Names
		},
		"staged revision": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.StagedRevision = 1
		},
		"requested witnesses": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.RequestedWitnesses = witnesses
		},
		"filter witnesses": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.FilterWitnesses = witnesses
		},
		"previous active revision": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.PreviousVisibilityState.ActiveRevision = 7
		},
		"previous staged revision": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.PreviousVisibilityState.StagedRevision = 7
			in.NextVisibilityState.StagedRevision = 7
		},
		"next active revision": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextVisibilityState.ActiveRevision = 2
		},
		"previous visibility": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.PreviousVisibilityState.ActiveFilter = noViewImage
			in.NextVisibilityState.ActiveFilter = noViewImage
		},
		"next visibility": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextViewImageVisible = true
			in.NextActiveVisibilityRevision, in.NextVisibilityState.ActiveRevision = 0, 0
			in.ToolVisibilityDelta.CommittedVisibleSetChanged = false
			in.ToolVisibilityDelta.RevisionBumped = false
		},
		"demanded revision": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.NextActiveVisibilityRevision, in.NextVisibilityState.ActiveRevision = 2, 2
		},
		"demanded revision, above the staged one": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.PreviousStagedVisibilityRevision = 5
			in.PreviousVisibilityState.StagedRevision = 5
			in.NextVisibilityState.StagedRevision = 5
		},
		"delta, previous filter": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.ToolVisibilityDelta.PreviousCapabilityBaseFilter = noViewImage
		},
		"delta, current filter": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.ToolVisibilityDelta.CurrentCapabilityBaseFilter = kernel.ToolFilter{}
		},
		"delta, set changed": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.ToolVisibilityDelta.CommittedVisibleSetChanged = false
		},
		"delta, revision bumped": func(in *kernel.ReconfigureSessionLlmIdentity) {
			in.ToolVisibilityDelta.RevisionBumped = false
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := plan()
			spoil(in)
			o := apply(in)
			if o.OK() {
				t.Fatal("the spoilt plan was accepted")
			}
			want := kernel.FailedGuard{
				Rule: "ReconfigureSessionLlmIdentityIdle", Guard: "visibility_reconfigure_plan_matches",
			}
			if len(o.Refusal.Guards) != 1 || o.Refusal.Guards[0] != want {
				t.Fatalf("refused for another reason: %s", o.Refusal)
			}
		})
	}
}
