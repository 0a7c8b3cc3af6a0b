package worker_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// attack is a message as no well-meaning producer sends it.
type attack struct {
	name   string
	to     string // the session, "" for the one that gets all of them
	header map[string]string
	data   string
	ctl    bool
	// answer is the outcome the feed must have, "" for none: then the event is in DEAD,
	// with a reason that names says.
	answer string
	names  string
}

func attributes(id, eventType string, more ...string) map[string]string {
	h := map[string]string{"ce-specversion": "1.0", "ce-id": id, "ce-source": "/hostile", "ce-type": eventType}
	for i := 0; i < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}

func structured(members string) (map[string]string, string) {
	return map[string]string{"Content-Type": subjects.MediaStructured}, `{"specversion":"1.0",` + members + `}`
}

func deep(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }

// attacks is what is thrown at one session.
func attacks() []attack {
	prompt, foreign := subjects.InputType("prompt"), "com.example.thing"
	in := func(name, answer, data string, header map[string]string) attack {
		return attack{name: name, header: header, data: data, answer: answer}
	}
	refused := func(name, names, data string, header map[string]string) attack {
		return attack{name: name, header: header, data: data, names: names}
	}
	text := func(name, names, members string) attack {
		h, data := structured(members)
		return attack{name: name, header: h, data: data, names: names}
	}
	long := strings.Repeat("x", 5000)
	huge, big := strings.Repeat("x", 200<<10), strings.Repeat("x", 60<<10)
	peer := "/kalahari/test/sessions/nobody"
	uuid := "01890000-0000-7000-8000-00000000000"
	all := []attack{
		refused("no attributes", "specversion", "garbage", nil),
		refused("an id beyond the attribute limit", "id", "{}", attributes(long, prompt)),
		in("an id of 300 bytes", "InputRejected", `{"text":"x"}`, attributes(long[:300], prompt)),
		in("an id of 256 bytes", "InputCompleted", `{"text":"x"}`, attributes(long[:256], prompt)),
		in("an id with quotes and backslashes", "InputCompleted", `{"text":"x"}`, attributes(`a"b\c</script>`, prompt)),
		refused("an id that is no UTF-8", "id", `{"text":"x"}`, attributes("a%ff%fe", prompt)),
		refused("raw bytes that are no UTF-8", "id", `{"text":"x"}`, attributes("a\xff\xfe", prompt)),
		refused("a control character", "id", `{"text":"x"}`, attributes("a%00b", prompt)),
		refused("a line break", "source", `{"text":"x"}`, attributes("nl", prompt, "ce-source", "/a%0d%0aNats-Msg-Id: x")),
		refused("an empty id", "id", `{"text":"x"}`, attributes("", prompt)),
		refused("an extension no UTF-8", "correlationid", `{"text":"x"}`, attributes("e1", prompt, "ce-correlationid", "%c3%28")),
		refused("a percent sign cut off", "correlationid", `{"text":"x"}`, attributes("e2", prompt, "ce-correlationid", "100%")),
		in("attributes as long as they may be", "InputCompleted", `{"text":"x"}`, attributes("e3", prompt,
			"ce-correlationid", long[:4096], "ce-traceparent", strings.Repeat("%22", 4096), "ce-tracestate", strings.Repeat("%5C", 4096), "ce-supersessionkey", long[:4096])),
		in("an idempotency key as long as it may be", "InputCompleted", `{"text":"x"}`, attributes("e4", prompt, "ce-idempotencykey", long[:4096])),
		refused("a content type of 60 KiB", "event format", "{}", map[string]string{"Content-Type": "application/cloudevents+" + big}),
		refused("a header name of 60 KiB", "", "{}", attributes("n1", prompt, "ce-"+big+"_", "x")),
		refused("a header value of 60 KiB", "verylong", "{}", attributes("n2", prompt, "ce-verylong", big)),
		refused("a source that is none, and every byte is escaped", "source", "{}", attributes("n3", prompt, "ce-source", "%25"+strings.Repeat("%F0%9D%92%9C", 1000))),
		in("JSON of 10,000 levels", "InputRejected", `{"text":"x","more":`+deep(10_000)+`}`, attributes("d1", prompt)),
		in("JSON of 998 levels", "InputCompleted", `{"text":"x","more":`+deep(998)+`}`, attributes("d2", prompt)),
		in("JSON of 9,996 levels", "InputRejected", `{"text":"x","more":`+deep(9_996)+`}`, attributes("d2b", prompt)),
		in("foreign JSON of 9,999 levels", "InputCompleted", deep(9_999), attributes("d2c", foreign)),
		in("foreign JSON of 20,000 levels", "InputCompleted", deep(20_000), attributes("d3", foreign)),
		in("huge numbers", "InputCompleted", `{"text":"x","n":1e999999,"m":-`+strings.Repeat("9", 50_000)+`}`, attributes("j1", prompt)),
		in("a name twice", "InputRejected", `{"text":"x","text":"y"}`, attributes("j2", prompt)),
		in("a name twice, deeper", "InputRejected", `{"text":"x","a":{"b":1,"b":2}}`, attributes("j3", prompt)),
		in("data no UTF-8", "InputRejected", "{\"text\":\"\xff\"}", attributes("j4", prompt)),
		in("half a surrogate", "InputRejected", `{"text":"\ud800"}`, attributes("j5", prompt)),
		in("foreign data no UTF-8", "InputCompleted", "{\"text\":\"\xff\"}", attributes("j6", foreign)),
		in("control characters in a text", "InputCompleted", `{"text":"\u0000\u001b[2J\u2028"}`, attributes("j7", prompt)),
		in("an array", "InputRejected", `[]`, attributes("j8", prompt)),
		in("null", "InputRejected", `null`, attributes("j9", prompt)),
		in("wrong types", "InputRejected", `{"text":{"x":1}}`, attributes("j10", prompt)),
		in("an input id that is empty", "InputCompleted", `{"text":"x","input_id":""}`, attributes("j11", prompt)),
		in("an input id of 1,000 bytes", "InputRejected", `{"text":"x","input_id":"`+long[:1000]+`"}`, attributes("j12", prompt)),
		in("an input id with control characters", "", `{"text":"x","input_id":"a\u0000\nb\u2028"}`, attributes("j13", prompt)),
		in("foreign control characters, 200 KiB", "InputCompleted", strings.Repeat("\x01", 200<<10), attributes("j14", foreign, "ce-datacontenttype", "text/plain")),
		in("content that is a number", "InputCompleted", `{"content":7}`, attributes("j15", prompt)),
		in("a time before the epoch of anything", "InputCompleted", `{"text":"x"}`, attributes("t1", prompt, "ce-time", "0001-01-01T00:00:00Z")),
		in("a time far ahead", "InputCompleted", `{"text":"x"}`, attributes("t2", prompt, "ce-time", "9999-12-31T23:59:59Z")),
		refused("a time that is none", "time", `{"text":"x"}`, attributes("t3", prompt, "ce-time", "yesterday")),
		in("deliverat long past", "InputCompleted", `{"text":"x"}`, attributes("t4", prompt, "ce-deliverat", "0001-01-01T00:00:00Z")),
		in("deliverat in a thousand years", "InputRejected", `{"text":"x"}`, attributes("t5", prompt, "ce-deliverat", "3026-01-01T00:00:00Z")),
		in("deliverat that is no time", "InputRejected", `{"text":"x"}`, attributes("t6", prompt, "ce-deliverat", "tomorrow")),
		in("deliverat and data that grow when they are stored", "InputRejected", strings.Repeat("\x01", 200<<10), attributes("t7", foreign, "ce-datacontenttype", "text/plain", "ce-deliverat", "@soon")),
		in("deliverat and deep data", "", deep(9_999), attributes("t9", foreign, "ce-deliverat", "@soon")),
		in("a lane of 200 KiB", "InputRejected", `{"text":"x","handling_mode":"`+strings.Repeat("\x7f", 200<<10)+`"}`, attributes("l1", prompt)),
		in("a status of 200 KiB", "InputRejected", `{"request_id":"x","status":"`+strings.Repeat("\x7f", 200<<10)+`"}`, attributes("l2", subjects.InputType("peer_response_terminal"))),
		in("a command with an enormous lane", "CommandRejected", `{"to":"x","lane":"`+strings.Repeat("\x7f", 200<<10)+`"}`, attributes("l3", subjects.CommandType("send_message"))),
		in("a command named by 4,000 bytes", "CommandRejected", `{}`, attributes("l4", "run.kalahari.command."+long[:4000]+".v1")),
		in("an ingest with an enormous key", "CommandRejected", `{"work_id":"w1","input":{"kind":"prompt","data":{"text":"x"},"idempotency_key":"`+huge+`"}}`, attributes("l5", subjects.CommandType("ingest"))),
		in("an ingest with an enormous id", "CommandRejected", `{"work_id":"`+huge+`","input":{"kind":"prompt","data":{"text":"x"}}}`, attributes("l6", subjects.CommandType("ingest"))),
		in("a thousand blobs", "InputRejected", `{"content":[`+strings.TrimSuffix(strings.Repeat(`{"type":"image","blob":"sha256:`+strings.Repeat("0", 64)+`"},`, 1000), ",")+`]}`, attributes("l7", prompt)),
		in("deliverat and binary data that grow", "InputRejected", strings.Repeat("\xff", 220<<10), attributes("t8", foreign, "ce-datacontenttype", "image/png", "ce-deliverat", "@soon")),
		in("the id again, another body", "InputDeduplicated", `{"text":"another"}`, attributes(long[:256], prompt)),
		in("the id of another source", "InputRejected", `{"text":"x"}`, attributes("e3", prompt, "ce-source", "/other")),
		in("a reserved type", "InputRejected", `{}`, attributes("r1", "run.kalahari.effect.turn_run_started.v1")),
		in("a commit", "InputRejected", `{}`, attributes("r2", subjects.CommitType)),
		in("an unknown kind", "InputRejected", `{}`, attributes("r3", "run.kalahari.input.nonsense.v1")),
		refused("a deadline of somebody's", "source", `{"request_id":"x"}`, attributes("r4", subjects.DeadlineType)),
		refused("a return of somebody's", "source", `{"n":1}`, attributes("r5", subjects.ReturnedType)),
		in("a deadline as if the session had sent it", "", `{"at":1}`, attributes("r6", subjects.DeadlineType, "ce-source", "/kalahari/test/sessions/victim")),
		in("a return as if the session had sent it", "PeerUndelivered", `{"n":1,"to":"a\u0000","reason":"`+huge+`"}`, attributes("r7", subjects.ReturnedType, "ce-source", "/kalahari/test/sessions/victim")),
		in("a peer request without an id", "", `{"body":"x"}`, attributes("p1", subjects.InputType("peer_request"), "ce-source", peer)),
		in("a peer request with garbage", "", `{"request_id":"`+uuid+`1","intent":"`+huge+`","body":"x"}`, attributes("p2", subjects.InputType("peer_request"), "ce-source", peer)),
		in("a kept intent", "InputRejected", `{"request_id":"`+uuid+`2","intent":"supervisor.bridge"}`, attributes("p3", subjects.InputType("peer_request"), "ce-source", peer)),
		in("a peer request with enormous traces", "", `{"request_id":"`+uuid+`3","intent":"mob.peer_added"}`, attributes("p4", subjects.InputType("peer_request"), "ce-source", peer,
			"ce-traceparent", strings.Repeat("%22", 4096), "ce-tracestate", strings.Repeat("%22", 4096))),
		in("a response nobody waits for", "InputRejected", `{"request_id":"`+uuid+`4","status":"completed","peer_id":"`+uuid+`4","display_identity":"x"}`, attributes("p5", subjects.InputType("peer_response_terminal"), "ce-source", peer)),
		in("a mob that is no token", "", `{}`, attributes("m1", subjects.CommandType("retire"), "ce-source", "/kalahari/test/mobs/a.b")),
		refused("extension names that are none", "names", "{}", attributes("x2", prompt, "ce-a.b", "1")),
		text("a number beyond 32 bits", "n", `"id":"s1","source":"/s","type":"t","n":99999999999`),
		text("a number of 100 KiB", "n", `"id":"s2","source":"/s","type":"t","n":`+strings.Repeat("9", 100<<10)),
		text("a member name of 100 KiB with line breaks", "", `"id":"s3","source":"/s","type":"t","`+strings.Repeat(`\n\u0001`, 20<<10)+`":1`),
		text("data twice", "data", `"id":"s4","source":"/s","type":"t","data":1,"data_base64":"AA=="`),
		text("an attribute twice", "", `"id":"s5","id":"s6","source":"/s","type":"t"`),
		text("broken JSON", "JSON", `"id":"s7",`),
		text("structured data of 20,000 levels", "data", `"id":"s8","source":"/s","type":"t","data":`+deep(20_000)),
		{name: "structured data of 9,990 levels", header: map[string]string{"Content-Type": subjects.MediaStructured}, data: `{"specversion":"1.0","id":"s9","source":"/s","type":"t","data":` + deep(9_990) + `}`, answer: "InputCompleted"},
		{name: "a batch", header: map[string]string{"Content-Type": subjects.MediaBatch}, data: `[]`, names: "batch"},
		{name: "an input on the control subject", header: attributes("c1", prompt), data: `{"text":"x"}`, ctl: true, names: "command"},
	}
	many := attributes("x1", prompt)
	for i := range 500 {
		many[fmt.Sprintf("ce-ext%d", i)] = strings.Repeat("%22", 20)
	}
	all = append(all, in("500 extensions", "InputCompleted", `{"text":"x"}`, many))
	// Every command there is, with data that is garbage.
	for i, garbage := range []string{`{`, `[]`, `"x"`, `null`, `{"nonsense":1}`, "\xff", deep(10_001), `{"session_id":"another"}`, `{"session_id":"a\u0000b"}`} {
		for _, e := range subjects.Catalogue() {
			if e.Class == subjects.ClassCommand {
				all = append(all, attack{
					name: fmt.Sprintf("%s with garbage %d", e.Name, i), to: "victim-of-" + e.Name, header: attributes(fmt.Sprintf("%s-%d", e.Name, i), e.Type),
					data: garbage, ctl: i%2 == 0, answer: "Command",
				})
			}
		}
	}
	return all
}

// Whatever a producer sends is answered on the feed or filed under DEAD with the rule it
// broke; the session goes on; and what it has committed can be folded by another worker,
// from the first commit on.
func TestHostileEvents(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	ns := env.Namespace
	const victim = "victim"
	seen := outcomes(t, env, "kalahari.test.*.fx.>")
	dead := outcomes(t, env, "kalahari.test.*.dead.>")
	leave := hire(t, env, "w1")
	publish(t, env, victim, prompt("first", "hello"))
	marked(t, seen, "first", true)

	sessions := map[string]bool{victim: true}
	list := attacks()
	for i, a := range list {
		id := victim
		if a.to != "" {
			id = a.to
			sessions[id] = true
		}
		subject := ns.In(id)
		if a.ctl {
			subject = ns.Ctl(id)
		}
		msg := &nats.Msg{Subject: subject, Header: nats.Header{}, Data: []byte(a.data)}
		for name, value := range a.header {
			if value == "@soon" {
				value = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
			}
			msg.Header[name] = []string{value}
		}
		if _, err := env.JS.PublishMsg(t.Context(), msg); err != nil {
			t.Logf("%s: refused by the server: %v", a.name, err)
			continue
		}
		mark := fmt.Sprintf("mark-%d", i)
		publish(t, env, id, prompt(mark, "go on"))
		names := marked(t, seen, mark, id == victim)
		if names == nil {
			t.Fatalf("%s: the session does not go on", a.name)
		}
		reason := ""
		if len(dead) > 0 {
			reason = (<-dead).Header.Get("Kalahari-Reason")
			if reason == "" || len(reason) > 2048 {
				t.Errorf("%s: a dead letter with a reason of %d bytes", a.name, len(reason))
			}
		}
		switch {
		case a.answer != "" && !hasPrefix(names, a.answer):
			t.Errorf("%s: %v, want %s (dead letter: %q)", a.name, names, a.answer, reason)
		case a.answer == "" && a.names != "" && !strings.Contains(reason, a.names):
			t.Errorf("%s: the dead letter says %q, and does not name %q (%v)", a.name, reason, a.names, names)
		case len(names) == 0 && reason == "" && a.names != "":
			t.Errorf("%s: neither answered nor filed", a.name)
		}
	}
	for id := range sessions {
		checkFeed(t, env, id)
	}

	// Recovered from the log alone, then from a snapshot.
	for _, name := range []string{"w2", "w3"} {
		leave()
		if name == "w2" {
			snapshots, err := env.JS.Stream(t.Context(), subjects.KVStream(ns.SnapshotsBucket()))
			if err == nil {
				err = snapshots.Purge(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		leave = hire(t, env, name)
		for id := range sessions {
			publish(t, env, id, prompt("to-"+name+"-in-"+id, "go on"))
			if marked(t, seen, "to-"+name+"-in-"+id, id == victim) == nil {
				t.Errorf("%s does not recover on %s", id, name)
			}
		}
	}
	leave()
	if len(dead) > 0 {
		t.Errorf("a dead letter that nobody expected: %s", (<-dead).Header.Get("Kalahari-Reason"))
	}
}

// hire runs one worker until it is told to leave, which it does in peace.
func hire(t *testing.T, env *embeddedtest.Env, name string) (leave func()) {
	t.Helper()
	nc, _ := embeddedtest.Connect(t, env.Server)
	w, err := worker.New(nc, env.Namespace, worker.Config{
		Name: name, Executor: executor.Echo{}, DrainTimeout: 2 * time.Second, RetryDelay: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	leave = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(leave)
	until(t, func() bool { return w.Ready() == nil })
	return leave
}

// marked reads outcomes until that of the marker, and returns the names of the others.
func marked(t *testing.T, seen <-chan *nats.Msg, mark string, runs bool) map[string]int {
	t.Helper()
	names := map[string]int{}
	deadline := time.After(15 * time.Second)
	for {
		select {
		case m := <-seen:
			ev, err := subjects.DecodeMsg(m)
			if err != nil {
				t.Errorf("%s cannot be read: %v", m.Subject, err)
				continue
			}
			name := subjects.Tail(m.Subject)
			if ev.Extensions()["causationid"] != mark {
				names[name]++
			} else if name == "InputCompleted" || name == "InputRejected" || name == "InputAccepted" && !runs {
				return names
			}
		case <-deadline:
			t.Errorf("%s is not answered", mark)
			return nil
		}
	}
}

func hasPrefix(names map[string]int, prefix string) bool {
	for name := range maps.Keys(names) {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// checkFeed reads a session's log as a subscriber does: every commit is JSON and every
// event in it a CloudEvent that says where it stands. Then another worker recovers the
// session, from the log alone and from its own snapshot.
func checkFeed(t *testing.T, env *embeddedtest.Env, id string) {
	t.Helper()
	ns := env.Namespace
	commits := 0
	cons, err := env.JS.OrderedConsumer(t.Context(), ns.LogStream(ns.Shard(id)), jetstream.OrderedConsumerConfig{FilterSubjects: []string{ns.Log(id)}})
	if err != nil {
		t.Fatal(err)
	}
	for {
		batch, err := cons.FetchNoWait(256)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for m := range batch.Messages() {
			got++
			var body struct {
				Events []jsontext.Value `json:"events"`
				Ref    string           `json:"dataref"`
				Rest   jsontext.Value   `json:"record"`
			}
			if err := json.Unmarshal(m.Data(), &body); err != nil {
				t.Fatalf("commit %d is no JSON: %v", commits, err)
			}
			for i, e := range body.Events {
				ev, err := subjects.DecodeJSON(e)
				if err != nil {
					t.Errorf("commit %d, event %d: %v", commits, i, err)
				} else if owner, _, err := subjects.ParseEventID(ev.ID()); err != nil || owner != id {
					t.Errorf("commit %d, event %d has the id %q: %v", commits, i, ev.ID(), err)
				}
			}
			commits++
		}
		if got == 0 {
			break
		}
	}
	if commits == 0 {
		t.Errorf("%s has no log", id)
	}
}
