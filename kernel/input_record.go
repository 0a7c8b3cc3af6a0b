package kernel

// record is what is known of one input, but for the facts that few inputs have. What is not
// known is zero, so that equal facts are equal records. It takes 48 bytes.
type record struct {
	known             facts
	phase             InputPhase
	terminalKind      InputTerminalKind
	lane              InputLane
	recoveryLane      InputLane
	authorizedLane    InputLane
	authorizedPlan    AdmissionPlanKind
	attempts          uint64
	boundarySequence  uint64
	admissionSequence uint64
	run               string
}

// records are the records of a state by the ids of its inputs. There is one as long as any
// fact is known of it.
type records map[string]*record

// facts is a set of them, a bit each.
type facts uint16

// A fact says where a record has its value, and which bit says that it is known.
type (
	phaseFact             struct{}
	terminalKindFact      struct{}
	laneFact              struct{}
	recoveryLaneFact      struct{}
	authorizedLaneFact    struct{}
	authorizedPlanFact    struct{}
	attemptsFact          struct{}
	boundarySequenceFact  struct{}
	admissionSequenceFact struct{}
	runFact               struct{}
)

func (phaseFact) of(r *record) (*InputPhase, facts) { return &r.phase, 1 << 0 }

func (terminalKindFact) of(r *record) (*InputTerminalKind, facts) { return &r.terminalKind, 1 << 1 }

func (laneFact) of(r *record) (*InputLane, facts) { return &r.lane, 1 << 2 }

func (recoveryLaneFact) of(r *record) (*InputLane, facts) { return &r.recoveryLane, 1 << 3 }

func (authorizedLaneFact) of(r *record) (*InputLane, facts) { return &r.authorizedLane, 1 << 4 }

func (authorizedPlanFact) of(r *record) (*AdmissionPlanKind, facts) { return &r.authorizedPlan, 1 << 5 }

func (attemptsFact) of(r *record) (*uint64, facts) { return &r.attempts, 1 << 6 }

func (boundarySequenceFact) of(r *record) (*uint64, facts) { return &r.boundarySequence, 1 << 7 }

func (admissionSequenceFact) of(r *record) (*uint64, facts) { return &r.admissionSequence, 1 << 8 }

func (runFact) of(r *record) (*string, facts) { return &r.run, 1 << 9 }

// records are those that all columns share.
func (s *InputsState) records() records { return s.InputPhases.inputs }

// join makes r the records of every column.
func (s *InputsState) join(r records) {
	s.InputPhases.inputs = r
	s.InputTerminalKind.inputs = r
	s.InputAttemptCounts.inputs = r
	s.InputRunAssociations.inputs = r
	s.InputBoundarySequences.inputs = r
	s.InputAdmissionSeq.inputs = r
	s.InputLane.inputs = r
	s.InputRecoveryLanes.inputs = r
	s.AdmissionAuthorizedLanes.inputs = r
	s.AdmissionAuthorizedPlans.inputs = r
}

// ready gives a state records if it has none. A state goes through here before it is changed
// or decoded into: a column cannot make records, for the others would not have them. To be
// read a state needs none.
func (s *InputsState) ready() {
	if s.records() == nil {
		s.join(records{})
	}
}

// of is the record of an id, a new one if there is none.
func (r records) of(id string) *record {
	known := r[id]
	if known == nil {
		known = new(record)
		r[id] = known
	}
	return known
}

// clone copies the records.
func (r records) clone() records {
	c := make(records, len(r))
	for id, known := range r {
		copied := *known
		c[id] = &copied
	}
	return c
}
