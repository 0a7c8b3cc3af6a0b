package kernel

// Chapter 01, session lifecycle: what a session may do to mobs. Each use of this
// authority is judged on a machine of its own, which never leaves Initializing; the
// shell copies the fields out.

// ResolveMobOperatorCreateAuthority grants the authority to a caller who asked for it
// explicitly, with both permissions and empty scopes; anything else takes it away.
// Runtime-internal, chapter 01.
type ResolveMobOperatorCreateAuthority struct {
	RequestKind       MobOperatorAccessRequestKind `json:"request_kind"`
	PrincipalToken    OpaquePrincipalToken         `json:"principal_token"`
	CallerProvenance  Opt[MobToolCallerProvenance] `json:"caller_provenance"`
	AuditInvocationID Opt[string]                  `json:"audit_invocation_id"`
}

func (in *ResolveMobOperatorCreateAuthority) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveMobOperatorCreateAuthority", Initializing, Initializing) &&
		k.guard("explicit_enable", in.RequestKind == MobOperatorAccessRequestKindEnable):

		s.MobOperatorAuthorityPresent = true
		s.MobOperatorPrincipalToken = Some(in.PrincipalToken)
		s.MobOperatorCanCreateMobs = true
		s.MobOperatorCanMutateProfiles = true
		s.MobOperatorManagedMobScope = nil
		s.MobOperatorSpawnProfileScope = nil
		s.MobOperatorCallerProvenance = in.CallerProvenance
		s.MobOperatorAuditInvocationID = in.AuditInvocationID

	case k.rule("ResolveMobOperatorCreateAuthorityAbsent", Initializing, Initializing) &&
		k.guard("not_explicit_enable", in.RequestKind != MobOperatorAccessRequestKindEnable):

		s.MobOperatorAuthorityPresent = false
		s.MobOperatorPrincipalToken = None[OpaquePrincipalToken]()
		s.MobOperatorCanCreateMobs = false
		s.MobOperatorCanMutateProfiles = false
		s.MobOperatorManagedMobScope = nil
		s.MobOperatorSpawnProfileScope = nil
		s.MobOperatorCallerProvenance = None[MobToolCallerProvenance]()
		s.MobOperatorAuditInvocationID = None[string]()
	}
}

// RestoreMobOperatorAuthority takes over an authority as it was stored.
// Runtime-internal, chapter 01.
type RestoreMobOperatorAuthority struct {
	PrincipalToken    OpaquePrincipalToken         `json:"principal_token"`
	CanCreateMobs     bool                         `json:"can_create_mobs"`
	CanMutateProfiles bool                         `json:"can_mutate_profiles"`
	ManagedMobScope   Set[string]                  `json:"managed_mob_scope"`
	SpawnProfileScope Map[string, Set[string]]     `json:"spawn_profile_scope"`
	CallerProvenance  Opt[MobToolCallerProvenance] `json:"caller_provenance"`
	AuditInvocationID Opt[string]                  `json:"audit_invocation_id"`
}

func (in *RestoreMobOperatorAuthority) step(k *Kernel, s *State) {
	switch {
	case k.rule("RestoreMobOperatorAuthority", Initializing, Initializing):

		s.MobOperatorAuthorityPresent = true
		s.MobOperatorPrincipalToken = Some(in.PrincipalToken)
		s.MobOperatorCanCreateMobs = in.CanCreateMobs
		s.MobOperatorCanMutateProfiles = in.CanMutateProfiles
		s.MobOperatorManagedMobScope = in.ManagedMobScope.Clone()
		s.MobOperatorSpawnProfileScope = in.SpawnProfileScope.Clone()
		s.MobOperatorCallerProvenance = in.CallerProvenance
		s.MobOperatorAuditInvocationID = in.AuditInvocationID
	}
}

// SetMobOperatorProfileMutation allows or forbids changing profiles. Runtime-internal,
// chapter 01.
type SetMobOperatorProfileMutation struct {
	Allowed bool `json:"allowed"`
}

func (in *SetMobOperatorProfileMutation) step(k *Kernel, s *State) {
	switch {
	case k.rule("SetMobOperatorProfileMutation", Initializing, Initializing) &&
		k.guard("authority_present", s.MobOperatorAuthorityPresent):

		s.MobOperatorCanMutateProfiles = in.Allowed
	}
}

// SetMobOperatorCreateAuthority allows or forbids creating mobs. Runtime-internal,
// chapter 01.
type SetMobOperatorCreateAuthority struct {
	Allowed bool `json:"allowed"`
}

func (in *SetMobOperatorCreateAuthority) step(k *Kernel, s *State) {
	switch {
	case k.rule("SetMobOperatorCreateAuthority", Initializing, Initializing) &&
		k.guard("authority_present", s.MobOperatorAuthorityPresent):

		s.MobOperatorCanCreateMobs = in.Allowed
	}
}

// GrantMobOperatorManageMob adds a mob to those the caller may manage. Runtime-internal,
// chapter 01.
type GrantMobOperatorManageMob struct {
	MobID string `json:"mob_id"`
}

func (in *GrantMobOperatorManageMob) step(k *Kernel, s *State) {
	switch {
	case k.rule("GrantMobOperatorManageMob", Initializing, Initializing) &&
		k.guard("authority_present", s.MobOperatorAuthorityPresent):

		s.MobOperatorManagedMobScope.add(in.MobID)
	}
}

// SetMobOperatorSpawnProfilesInMob replaces the profiles the caller may spawn in a mob.
// Runtime-internal, chapter 01.
type SetMobOperatorSpawnProfilesInMob struct {
	MobID    string      `json:"mob_id"`
	Profiles Set[string] `json:"profiles"`
}

func (in *SetMobOperatorSpawnProfilesInMob) step(k *Kernel, s *State) {
	switch {
	case k.rule("SetMobOperatorSpawnProfilesInMob", Initializing, Initializing) &&
		k.guard("authority_present", s.MobOperatorAuthorityPresent):

		s.MobOperatorSpawnProfileScope.put(in.MobID, in.Profiles.Clone())
	}
}
