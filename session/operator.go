package session

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// operatorCommands are about what the session may do to mobs (chapter 01, mob-operator
// authority). Each is judged on a machine of its own, seeded with the authority the
// session keeps, and what comes out is kept.
var operatorCommands = map[string]handler{
	"resolve_mob_operator_create_authority":  (*Session).resolveOperatorCommand,
	"restore_mob_operator_authority":         (*Session).restoreOperatorCommand,
	"set_mob_operator_create_authority":      (*Session).operatorCreateCommand,
	"set_mob_operator_profile_mutation":      (*Session).operatorProfilesCommand,
	"grant_mob_operator_manage_mob":          (*Session).operatorManageCommand,
	"set_mob_operator_spawn_profiles_in_mob": (*Session).operatorSpawnCommand,
}

var operatorQuestions = map[string]question{
	"mob_operator": func(v *View, _ jsontext.Value) (any, error) { return v.MobOperator(), nil },
}

// OperatorReport is the answer to the query "mob_operator" and the report of the commands
// that change it. The principal's token stays with the session: the feed has many readers.
type OperatorReport struct {
	AuthorityPresent  bool                                       `json:"authority_present"`
	CanCreateMobs     bool                                       `json:"can_create_mobs"`
	CanMutateProfiles bool                                       `json:"can_mutate_profiles"`
	ManagedMobScope   kernel.Set[string]                         `json:"managed_mob_scope"`
	SpawnProfileScope kernel.Map[string, kernel.Set[string]]     `json:"spawn_profile_scope"`
	CallerProvenance  kernel.Opt[kernel.MobToolCallerProvenance] `json:"caller_provenance"`
	AuditInvocationID kernel.Opt[string]                         `json:"audit_invocation_id"`
}

// MobOperator tells what the session may do to mobs.
func (v *View) MobOperator() OperatorReport {
	a := v.s.ledger.Operator
	if a == nil {
		return OperatorReport{}
	}
	return OperatorReport{
		AuthorityPresent: true, CanCreateMobs: a.CanCreateMobs, CanMutateProfiles: a.CanMutateProfiles,
		ManagedMobScope: a.ManagedMobScope, SpawnProfileScope: a.SpawnProfileScope,
		CallerProvenance: a.CallerProvenance, AuditInvocationID: a.AuditInvocationID,
	}
}

// judgeOperator runs one input on a fresh machine and keeps what comes out.
func (s *Session) judgeOperator(t kernel.Trigger) (any, error) {
	if s.kernel.Phase() == kernel.Destroyed {
		return nil, &refusal{kind: rejectDestroyed, reason: "the session is destroyed", phase: kernel.Destroyed.String()}
	}
	scratch := kernel.New()
	if kept := s.ledger.Operator; kept != nil {
		scratch.Apply(kept)
	}
	if o := scratch.Apply(t); !o.OK() {
		return nil, refused(rejectValidation, o.Refusal)
	}
	st := scratch.State()
	s.change(func(d *delta) {
		if !st.MobOperatorAuthorityPresent {
			d.OperatorGone = true
			return
		}
		d.Operator = &kernel.RestoreMobOperatorAuthority{
			PrincipalToken: st.MobOperatorPrincipalToken.Value(),
			CanCreateMobs:  st.MobOperatorCanCreateMobs, CanMutateProfiles: st.MobOperatorCanMutateProfiles,
			ManagedMobScope: st.MobOperatorManagedMobScope, SpawnProfileScope: st.MobOperatorSpawnProfileScope,
			CallerProvenance: st.MobOperatorCallerProvenance, AuditInvocationID: st.MobOperatorAuditInvocationID,
		}
	})
	return (&View{s}).MobOperator(), nil
}

// resolveOperatorCommand grants the authority to a principal who asks to enable it, and
// takes it away on any other request.
func (s *Session) resolveOperatorCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		RequestKind       *kernel.MobOperatorAccessRequestKind       `json:"request_kind"`
		PrincipalToken    kernel.OpaquePrincipalToken                `json:"principal_token"`
		CallerProvenance  kernel.Opt[kernel.MobToolCallerProvenance] `json:"caller_provenance"`
		AuditInvocationID kernel.Opt[string]                         `json:"audit_invocation_id"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.RequestKind == nil {
		return nil, missing("request_kind")
	}
	if *arg.RequestKind == kernel.MobOperatorAccessRequestKindEnable && arg.PrincipalToken == "" {
		return nil, missing("principal_token")
	}
	return s.judgeOperator(&kernel.ResolveMobOperatorCreateAuthority{
		RequestKind: *arg.RequestKind, PrincipalToken: arg.PrincipalToken,
		CallerProvenance: arg.CallerProvenance, AuditInvocationID: arg.AuditInvocationID,
	})
}

// restoreOperatorCommand takes over an authority as it was stored elsewhere.
func (s *Session) restoreOperatorCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		kernel.RestoreMobOperatorAuthority
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.PrincipalToken == "" {
		return nil, missing("principal_token")
	}
	return s.judgeOperator(&arg.RestoreMobOperatorAuthority)
}

func (s *Session) operatorCreateCommand(c *command) (any, error) {
	allowed, err := s.readAllowed(c)
	if err != nil {
		return nil, err
	}
	return s.judgeOperator(&kernel.SetMobOperatorCreateAuthority{Allowed: allowed})
}

func (s *Session) operatorProfilesCommand(c *command) (any, error) {
	allowed, err := s.readAllowed(c)
	if err != nil {
		return nil, err
	}
	return s.judgeOperator(&kernel.SetMobOperatorProfileMutation{Allowed: allowed})
}

func (s *Session) readAllowed(c *command) (bool, error) {
	var arg struct {
		sessionArg
		Allowed *bool `json:"allowed"`
	}
	if err := c.read(&arg); err != nil {
		return false, err
	}
	if err := arg.check(s.id); err != nil {
		return false, err
	}
	if arg.Allowed == nil {
		return false, missing("allowed")
	}
	return *arg.Allowed, nil
}

func (s *Session) operatorManageCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		kernel.GrantMobOperatorManageMob
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.MobID == "" {
		return nil, missing("mob_id")
	}
	return s.judgeOperator(&arg.GrantMobOperatorManageMob)
}

func (s *Session) operatorSpawnCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		kernel.SetMobOperatorSpawnProfilesInMob
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	switch {
	case arg.MobID == "":
		return nil, missing("mob_id")
	case arg.Profiles == nil:
		return nil, missing("profiles")
	}
	return s.judgeOperator(&arg.SetMobOperatorSpawnProfilesInMob)
}
