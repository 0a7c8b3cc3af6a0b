package subjects_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/subjects"
)

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:16])
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"a", "A-z_0-9", strings.Repeat("x", 128)} {
		if err := subjects.CheckToken("session", ok); err != nil {
			t.Error(err)
		}
	}
	for bad, want := range map[string]string{
		"":                       "session: illegal token: empty",
		strings.Repeat("x", 129): "session: illegal token: 129 bytes, at most 128 are allowed",
		"a.b":                    `session "a.b": illegal token: character '.' at position 1 (allowed are A-Z a-z 0-9 _ -)`,
		"a b":                    `session "a b": illegal token: character ' ' at position 1 (allowed are A-Z a-z 0-9 _ -)`,
		"ab€":                    `session "ab€": illegal token: character '€' at position 2 (allowed are A-Z a-z 0-9 _ -)`,
		"*":                      `session "*": illegal token: character '*' at position 0 (allowed are A-Z a-z 0-9 _ -)`,
		"a\xff":                  `session "a\xff": illegal token: byte 0xff at position 1 (allowed are A-Z a-z 0-9 _ -)`,
	} {
		err := subjects.CheckToken("session", bad)
		var te *subjects.TokenError
		if !errors.Is(err, subjects.ErrToken) || !errors.As(err, &te) || err.Error() != want || te.Kind != "session" {
			t.Errorf("%q: %v\nwant %s", bad, err, want)
		}
	}
}

func TestNamespaceIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := subjects.NewNamespace("a.b", 8); !errors.Is(err, subjects.ErrToken) {
		t.Error(err)
	}
	for _, n := range []int{-1, 0, subjects.MaxShards + 1} {
		if _, err := subjects.NewNamespace("a", n); err == nil {
			t.Errorf("%d shards are accepted", n)
		}
	}
}

// The wire, spelled out: a change here breaks other people's programs.
func TestNames(t *testing.T) {
	t.Parallel()
	ns := namespace(t, "acme", 8)
	if s := ns.Shard("s-1"); s != 4 {
		t.Fatalf("s-1 is on shard %d", s)
	}
	got := []string{
		ns.PublicIn("s-1"), ns.PublicInAll(), ns.In("s-1"), ns.InShard(5),
		ns.PublicCtl("s-1"), ns.PublicCtlAll(), ns.Ctl("s-1"), ns.CtlShard(5),
		ns.Log("s-1"), ns.LogShard(5),
		ns.Fx("s-1", "InputCompleted"), ns.FxShard(5), ns.FxSession("s-1"), ns.FxName(5, "InputCompleted"),
		ns.Dead("s-1"), ns.DeadShard(5), ns.Timer("s-1", "t9"), ns.TimerShard(5), ns.TimerSession("s-1"),
		ns.Due("s-1"), ns.DueShard(5), ns.MobSignal("m", "RuntimeBound"), ns.MobSignals("m"), ns.MobAll(),
		ns.Live("s-1"), ns.LiveAll(), ns.Query("s-1", "state"), ns.QueryAll(), ns.Exec("gpt"), ns.ExecAll(),
		ns.Probe("w"), ns.ProbeAll(), ns.Control("w"), ns.ControlAll(),
		ns.InStream(5), ns.LogStream(5), ns.FxStream(5), ns.MobStream(), ns.TimeStream(), ns.DeadStream(),
		ns.WorkersBucket(), ns.OwnersBucket(), ns.SnapshotsBucket(), ns.DirectoryBucket(), ns.BlobsBucket(),
		ns.SessionKey("s-1"), ns.SessionKeys(5), subjects.BlobName("s-1", "abc"), ns.Source("s-1"),
		subjects.KVStream("b"), subjects.KVSubject("b", "k"), subjects.ObjectStream("b"),
		ns.Mappings()[0].Source, ns.Mappings()[0].Destination, ns.Mappings()[1].Source, ns.Mappings()[1].Destination,
	}
	want := strings.Fields(`
		kalahari.acme.in.s-1 kalahari.acme.in.* kalahari.acme.4.in.s-1 kalahari.acme.5.in.*
		kalahari.acme.ctl.s-1 kalahari.acme.ctl.* kalahari.acme.4.ctl.s-1 kalahari.acme.5.ctl.*
		kalahari.acme.4.log.s-1 kalahari.acme.5.log.*
		kalahari.acme.4.fx.s-1.InputCompleted kalahari.acme.5.fx.*.* kalahari.acme.4.fx.s-1.* kalahari.acme.5.fx.*.InputCompleted
		kalahari.acme.4.dead.s-1 kalahari.acme.5.dead.* kalahari.acme.4.timer.s-1.t9 kalahari.acme.5.timer.*.* kalahari.acme.4.timer.s-1.*
		kalahari.acme.4.due.s-1 kalahari.acme.5.due.* kalahari.acme.mob.m.signal.RuntimeBound kalahari.acme.mob.m.signal.* kalahari.acme.mob.*.signal.*
		kalahari.acme.live.s-1 kalahari.acme.live.* kalahari.acme.q.s-1.state kalahari.acme.q.*.* kalahari.acme.exec.gpt kalahari.acme.exec.*
		kalahari.acme.worker.w.probe kalahari.acme.worker.*.probe kalahari.acme.worker.w.control kalahari.acme.worker.*.control
		KALAHARI_acme_IN_5 KALAHARI_acme_LOG_5 KALAHARI_acme_FX_5 KALAHARI_acme_MOB KALAHARI_acme_TIME KALAHARI_acme_DEAD
		kalahari_acme_workers kalahari_acme_owners kalahari_acme_snapshots kalahari_acme_directory kalahari_acme_blobs
		4.s-1 5.* s-1/abc /kalahari/acme/sessions/s-1
		KV_b $KV.b.k OBJ_b
		kalahari.acme.in.* kalahari.acme.{{partition(8,1)}}.in.{{wildcard(1)}}
		kalahari.acme.ctl.* kalahari.acme.{{partition(8,1)}}.ctl.{{wildcard(1)}}`)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseSession(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		ns, err := subjects.NewNamespace("acme", rapid.IntRange(1, subjects.MaxShards).Draw(rt, "shards"))
		if err != nil {
			rt.Fatal(err)
		}
		session := rapid.StringMatching(`[A-Za-z0-9_-]{1,128}`).Draw(rt, "session")
		for want, subject := range map[subjects.Kind]string{
			subjects.KindIn: ns.In(session), subjects.KindCtl: ns.Ctl(session), subjects.KindLog: ns.Log(session),
			subjects.KindFx: ns.Fx(session, "X"), subjects.KindDead: ns.Dead(session),
			subjects.KindDue: ns.Due(session), subjects.KindTimer: ns.Timer(session, "7"),
		} {
			kind, shard, got, err := ns.ParseSession(subject)
			if err != nil || kind != want || shard != ns.Shard(session) || got != session {
				rt.Fatalf("%s: %s %d %s %v", subject, kind, shard, got, err)
			}
		}
		shard, got, err := ns.ParseSessionKey(ns.SessionKey(session))
		if err != nil || shard != ns.Shard(session) || got != session {
			rt.Fatalf("key: %d %s %v", shard, got, err)
		}
	})

	ns := namespace(t, "acme", 8)
	for _, foreign := range []string{
		"", "x", "kalahari", "kalahari.", "kalahari.acme", "kalahari.acme.", "kalahari.acme.in.s-1", "kalahari.other.1.in.s-1",
		"kalahari.acmes.1.in.s-1", "kalahari.acme.8.in.s-1", "kalahari.acme.-1.in.s-1", "kalahari.acme.01.in.s-1", "kalahari.acme.+1.in.s-1",
		"kalahari.acme.1.in.s-1.x", "kalahari.acme.1.fx.s-1", "kalahari.acme.1.fx.s-1.", "kalahari.acme.1.fx.s-1.A.B", "kalahari.acme.1.other.s-1",
		"kalahari.acme.q.s-1.state", "$KV.x.y",
	} {
		_, _, session, err := ns.ParseSession(foreign)
		if !errors.Is(err, subjects.ErrSubject) || session != "s-1" && session != "" {
			t.Errorf("%q: %q %v", foreign, session, err)
		}
	}
	if kind, shard, session, err := ns.ParseSession("kalahari.acme.2.in.s-1"); !errors.Is(err, subjects.ErrWrongShard) || !errors.Is(err, subjects.ErrSubject) || kind != "in" || shard != 2 || session != "s-1" {
		t.Error(kind, shard, session, err)
	}
	if kind, _, session, err := ns.ParseSession("kalahari.acme.2.in.a:b"); !errors.Is(err, subjects.ErrToken) || kind != "in" || session != "a:b" {
		t.Error(kind, session, err)
	}
	if _, _, err := ns.ParseSessionKey("nodot"); !errors.Is(err, subjects.ErrSubject) {
		t.Error(err)
	}
	if got := subjects.Tail(ns.Fx("s-1", "InputCompleted")); got != "InputCompleted" {
		t.Error(got)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	count := map[subjects.Class]int{}
	for _, e := range subjects.Catalogue() {
		count[e.Class]++
		if seen[e.Type] || e.Description == "" || !strings.HasSuffix(e.Description, ".") && !strings.HasSuffix(e.Description, "?") || !subjects.Reserved(e.Type) {
			t.Errorf("%+v", e)
		}
		seen[e.Type] = true
		if got, ok := subjects.Lookup(e.Type); !ok || !cmp.Equal(got, e) {
			t.Errorf("%s is not found", e.Type)
		}
		switch e.Class {
		case subjects.ClassInput:
			if kind, ok := subjects.ParseInputType(subjects.InputType(e.Name)); !ok || kind != e.Name {
				t.Error(e.Type, kind)
			}
		case subjects.ClassCommand:
			name, ok := subjects.ParseCommandType(subjects.CommandType(e.Name))
			if !ok || name != subjects.Snake(e.Name) || subjects.CommandType(name) != e.Type {
				t.Error(e.Type, name)
			}
		case subjects.ClassEffect, subjects.ClassOutcome, subjects.ClassOutput:
			if name, ok := subjects.EventName(e.Type); !ok || name != e.Name {
				t.Error(e.Type, name)
			}
			if public := subjects.Public(e.Name); public == nil || public.Type != e.Type {
				t.Error(e.Name)
			}
			if !subjects.PublishAll.Includes(&e) || subjects.PublishNone.Includes(&e) || subjects.PublishLifecycle.Includes(&e) != e.Lifecycle {
				t.Error(e.Name)
			}
		}
	}
	if d := cmp.Diff(map[subjects.Class]int{"input": 9, "command": 89, "effect": 39, "outcome": 12, "output": 1, "commit": 1}, count); d != "" {
		t.Error(d)
	}
	for got, want := range map[string]string{
		subjects.InputType("prompt"):                              "run.kalahari.input.prompt.v1",
		subjects.CommandType("stop_runtime_executor"):             "run.kalahari.command.stop_runtime_executor.v1",
		subjects.EffectType("McpServerStateChanged"):              "run.kalahari.effect.mcp_server_state_changed.v1",
		subjects.EffectType("RecordRunAssociation"):               "run.kalahari.effect.record_run_association.v1",
		subjects.OutcomeType("InputCompleted"):                    "run.kalahari.outcome.input_completed.v1",
		subjects.OutputType("RunOutput"):                          "run.kalahari.output.run_output.v1",
		subjects.CommandType("ReconfigureSessionLlmIdentity"):     "run.kalahari.command.reconfigure_session_llm_identity.v1",
		subjects.EffectType("RequestCommsDrainExitForUnregister"): "run.kalahari.effect.request_comms_drain_exit_for_unregister.v1",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for _, other := range []string{"", "com.example.order.v1", "run.kalahari.input.nonsense.v1", "run.kalahari.input.prompt.v2", "run.kalahari.command.retire.v1"} {
		if kind, ok := subjects.ParseInputType(other); ok {
			t.Errorf("%s is input %s", other, kind)
		}
	}
	if subjects.Reserved("com.example.order.v1") || subjects.Public("RecordRunAssociation") != nil || subjects.Public("Prompt") != nil {
		t.Error("a local effect or a foreign type is ours")
	}
}

func TestLifecycleSetIsTheWires(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`InputAccepted InputDeduplicated InputRejected InputCompleted CommandApplied CommandRejected SessionPaused SessionResumed RunOutput
		TurnRunStarted TurnRunCompleted TurnRunFailed TurnRunCancelled RuntimeBound RuntimeRetired RuntimeDestroyed RuntimeNotice McpServerStateChanged`) {
		if e := subjects.Public(name); e == nil || !subjects.PublishLifecycle.Includes(e) || !subjects.PublishedSet("").Includes(e) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range strings.Fields(`InputStaged InputApplied IngressAccepted InputLifecycleNotice SessionContextAdvanced`) {
		if e := subjects.Public(name); e == nil || subjects.PublishLifecycle.Includes(e) {
			t.Errorf("%s is too frequent", name)
		}
	}
	var signals []string
	for _, e := range subjects.Catalogue() {
		if e.Signal {
			signals = append(signals, e.Name)
		}
	}
	if !slices.Equal(signals, []string{"RuntimeBound", "RuntimeRetired", "RuntimeDestroyed"}) {
		t.Error(signals)
	}
}

func TestSnake(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "A": "a", "Retire": "retire", "InputCompleted": "input_completed", "stop_runtime_executor": "stop_runtime_executor",
		"LLMFailure": "llm_failure", "ResolveURL": "resolve_url", "Base64Data": "base64_data", "HTTP2": "http2", "Ärger": "ärger",
	} {
		if got := subjects.Snake(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestCommandName(t *testing.T) {
	for eventType, want := range map[string]string{
		subjects.CommandType("Retire"):        "retire",
		"run.kalahari.command.no_such.v1":     "no_such",
		"run.kalahari.command.retire":         "",
		"run.kalahari.command.retire.v2":      "",
		"run.kalahari.input.prompt.v1":        "",
		"com.example.run.kalahari.command.v1": "",
	} {
		if name, ok := subjects.CommandName(eventType); name != want || ok != (want != "") {
			t.Errorf("%s: %q, %t", eventType, name, ok)
		}
	}
}
