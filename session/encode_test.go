package session

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// drawText is any text, one that looks like a reference, or one of the few that repeat and
// are long enough to be referred to.
func drawText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(0, 8, 32), rapid.StringMatching(`[0-9$#-]{1,3}`), rapid.StringMatching(`[0-3]{12}`),
		rapid.SampledFrom([]string{"01M88QJ8VE749ZANS60KB1YZY3", "01a21179-2375-75ba-8389-5756b8385d69"}))
}

func drawEntry(t *rapid.T) *entry {
	text := drawText()
	e := &entry{
		ID: text.Draw(t, "id"), Key: text.Draw(t, "key"), Event: text.Draw(t, "event"), Type: text.Draw(t, "type"),
		Kind:   kernel.AdmissionInputKind(rapid.IntRange(0, 8).Draw(t, "kind")),
		Data:   jsontext.Value(rapid.SampledFrom([]string{`{"text":"hi"}`, `"plain"`, `{}`, `[1,2]`}).Draw(t, "data")),
		IsText: rapid.Bool().Draw(t, "is_text"), Idempotency: text.Draw(t, "idempotency"),
		Supersession: text.Draw(t, "supersession"), Correlation: text.Draw(t, "correlation"),
		TraceParent: text.Draw(t, "traceparent"), TraceState: text.Draw(t, "tracestate"),
		Lane: kernel.InputLane(rapid.IntRange(0, 1).Draw(t, "lane")),
		At:   time.Unix(rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 1<<33)).Draw(t, "at"), 7).UTC(),
	}
	if rapid.Bool().Draw(t, "by reference") {
		e.DataRef, e.Blobs, e.ContextOnly = "sha256:00", drawBlobs(t), true
	}
	if rapid.Bool().Draw(t, "steered") {
		e.HandlingMode = kernel.Some(kernel.InputLaneSteer)
		e.Intent = kernel.Some(kernel.AdmissionPeerResponseTerminalApplyIntentAppendContextAndRun)
		e.Boundary, e.Execution = kernel.AdmissionRunApplyBoundaryRunCheckpoint, kernel.AdmissionRuntimeExecutionKindResumePending
	}
	return e
}

func drawBlobs(t *rapid.T) (blobs []kv.Blob) {
	for range rapid.IntRange(0, 2).Draw(t, "blobs") {
		blobs = append(blobs, kv.Blob{
			Ref: rapid.String().Draw(t, "ref"), Size: rapid.Uint64().Draw(t, "size"), Revision: rapid.Uint64().Draw(t, "revision"),
		})
	}
	return blobs
}

// What is written by hand is read back whole by the JSON library.
func TestDeltaRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawText()
		d := delta{Mob: text.Draw(t, "mob"), Sequence: rapid.Uint64().Draw(t, "sequence"), Sent: rapid.Uint64().Draw(t, "sent")}
		for range rapid.IntRange(0, 3).Draw(t, "admitted") {
			d.Admit = append(d.Admit, drawEntry(t))
		}
		for range rapid.IntRange(0, 2).Draw(t, "seen") {
			d.Seen = append(d.Seen, seenKey{text.Draw(t, "k"), seen{ID: text.Draw(t, "i"), Command: rapid.Bool().Draw(t, "c"), Blobs: drawBlobs(t)}})
		}
		for range rapid.IntRange(0, 2).Draw(t, "ended") {
			d.End = append(d.End, ended{text.Draw(t, "k"), text.Draw(t, "i"), "7.1", drawBlobs(t)})
			d.Ended = append(d.Ended, text.Draw(t, "e"))
			d.Forget = append(d.Forget, text.Draw(t, "f"))
		}
		if rapid.Bool().Draw(t, "running") {
			d.Run = &execution{text.Draw(t, "run"), rapid.Uint64().Draw(t, "count")}
			d.Retiring = &waitingCommand{Command: "retire", Event: text.Draw(t, "ev")}
			d.RunOver, d.Retired, d.Resumed, d.EpochOver = true, true, true, true
			d.Epoch = text.Draw(t, "epoch")
			d.Hold = &hold{By: "command", Reason: text.Draw(t, "reason"), Since: time.Unix(1_800_000_000, 7).UTC()}
			d.Receipts = []*Receipt{{
				RunID: text.Draw(t, "run"), Sequence: 3, Boundary: "RunStart", ContributingInputIDs: []string{"a", text.Draw(t, "id")},
				ConversationDigest: text.Draw(t, "digest"), ContentDigest: "ff", MessageCount: 2, At: "3.1",
			}}
			d.Arm = []timer{{Ordinal: 3, ID: "t", At: time.Unix(1_900_000_000, 0).UTC(), Event: jsontext.Value(`{"id":"x"}`)}}
			d.Met, d.Waited = true, []string{text.Draw(t, "waited")}
			d.Wait = []waitingCommand{{Command: "wait_all", Event: text.Draw(t, "w"), Key: text.Draw(t, "k"), Action: "a", Request: "r", Cause: "c", Mob: "m"}}
			d.Acted = []actedKey{{"a", answered{Report: jsontext.Value(`{"x":1}`)}}, {"b", answered{Refusal: &commandRejected{Kind: "k"}}}}
			d.Alarm, d.Rung = &alarm{time.Unix(1_900_000_000, 0).UTC(), 7}, true
			d.Post = []parcel{{Ordinal: 4, To: "s2", MsgID: "s2:1", Event: jsontext.Value(`{"id":"y"}`)}}
			d.Peers = []peerChange{
				{ID: "q", Asked: &asked{"s2", 4, time.Unix(1_900_000_000, 0).UTC()}, Stream: time.Unix(1_900_000_002, 0).UTC()},
				{ID: "q", Told: true, Joined: true},
				{ID: "p", Owed: &owed{"s3", "i"}},
				{ID: "p", Paid: true},
			}
			d.Operations = []operationChange{
				{ID: "o", Known: &operation{DisplayName: text.Draw(t, "n"), CreatedAt: time.Unix(1_900_000_000, 0).UTC()}},
				{ID: "o", Done: true, Feed: &executor.Completion{
					Seq: 1, OperationID: "o", EndedAt: time.Unix(1_900_000_001, 0).UTC(),
					Payload: kernel.OpTerminalPayload{Kind: kernel.OpFailed, Error: text.Draw(t, "err")},
				}},
				{ID: "o", Gone: true, Drop: true},
			}
			d.DropAll, d.Drop, d.Deleted = true, drawBlobs(t), rapid.IntRange(0, 1<<40).Draw(t, "deleted")
			d.Created = time.Unix(1_800_000_000, 5).UTC()
		}
		if rapid.Bool().Draw(t, "staged") {
			d.DeferredGone, d.Deferred = true, []ContextAppend{{text.Draw(t, "key"), text.Draw(t, "content")}}
			d.OperatorGone = true
			d.Operator = &kernel.RestoreMobOperatorAuthority{
				PrincipalToken: kernel.OpaquePrincipalToken(text.Draw(t, "token")), CanCreateMobs: true,
				ManagedMobScope:   kernel.SetOf(text.Draw(t, "mob")),
				SpawnProfileScope: kernel.Map[string, kernel.Set[string]]{"m": kernel.SetOf("p", "q")},
				AuditInvocationID: kernel.Some(text.Draw(t, "audit")),
			}
		}
		var table kernel.IDs
		now := time.Unix(rapid.Int64Range(0, 3).Draw(t, "now"), 7).UTC()
		r := record{Version: recordVersion, At: stamp(now), Delta: d.append(nil, &table, now)}
		if err := json.Unmarshal(table.AppendAll(nil), &r.IDs); err != nil {
			t.Fatal(err)
		}
		got, err := r.delta()
		if err != nil {
			t.Fatalf("%s %q: %v", r.Delta, r.IDs, err)
		}
		if diff := cmp.Diff(&d, got, cmp.AllowUnexported(delta{}, entry{}, seenKey{}, ended{}, kernel.Opt[kernel.InputLane]{},
			kernel.Opt[kernel.AdmissionPeerResponseTerminalApplyIntent]{},
			kernel.Opt[string]{}, kernel.Opt[kernel.MobToolCallerProvenance]{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// What is encoded by hand is what the JSON library makes of it.
func TestEventDataIsEncodedAsTheLibraryDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, n := rapid.StringN(0, 8, 32), rapid.Uint64()
		value := func(name string) jsontext.Value {
			return jsontext.Value(rapid.SampledFrom([]string{"", `{"text":"a\"b"}`, `[1,null]`}).Draw(t, name))
		}
		result := value("result")
		if len(result) == 0 {
			result = nil
		}
		var usage any
		if rapid.Bool().Draw(t, "usage") {
			usage = &executor.Usage{}
		}
		for _, data := range []any{
			inputAccepted{text.Draw(t, "id"), text.Draw(t, "lane"), text.Draw(t, "plan")},
			inputStaged{text.Draw(t, "id"), text.Draw(t, "run"), n.Draw(t, "attempt")},
			inputApplied{text.Draw(t, "id"), text.Draw(t, "run"), n.Draw(t, "boundary")},
			inputCompleted{text.Draw(t, "id"), text.Draw(t, "run"), text.Draw(t, "outcome"), text.Draw(t, "reason"), result, text.Draw(t, "ref")},
			runOutput{text.Draw(t, "run"), result, text.Draw(t, "ref"), usage},
		} {
			if _, ok := data.(handmade); !ok {
				t.Fatalf("%T is not encoded by hand", data)
			}
			if got, want := string(new(page).write(data)), string(mustJSON(data)); got != want {
				t.Fatalf("%T\ngot  %s\nwant %s", data, got, want)
			}
		}
	})
}
