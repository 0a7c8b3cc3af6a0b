//go:build unix

package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// nodeJS is a directory with a Node program, its packages installed from the lock file.
type nodeJS struct {
	t   *testing.T
	dir string
}

func nodeJSIn(t *testing.T, dir string) nodeJS {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: %s cannot run here", program, dir)
		}
	}
	n := nodeJS{t, t.TempDir()}
	if err := os.CopyFS(n.dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	n.run(nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	return n
}

func (n nodeJS) run(env []string, program string, args ...string) (out string) {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), program, args...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = n.dir, &said, append(os.Environ(), env...)
	data, err := cmd.Output()
	if err != nil {
		n.t.Fatalf("%s %s: %v\n%s%s", program, args, err, data, said.String())
	}
	return string(data)
}

// The AsyncAPI document is what the official meta-schema says such a document is.
func TestTheAsyncAPIDocumentIsOne(t *testing.T) {
	t.Parallel()
	document, err := filepath.Abs("../docs/asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	nodeJSIn(t, "asyncapi").run(nil, "node", "check.js", document)
}

// The example for Node, as its readers run it: a client that shares no code with us.
func TestTheNodeExample(t *testing.T) {
	t.Parallel()
	example := nodeJSIn(t, "../examples/node")
	w := begin(t, 4, subjects.Settings{})
	w.ready(w.worker("a"))
	out := example.run([]string{"NATS_URL=nats://" + w.addr}, "node", "main.js", w.ns.Name(), "s")
	type step struct {
		Step      string   `json:"step"`
		InputID   string   `json:"input_id"`
		RunID     string   `json:"run_id"`
		Outcome   string   `json:"terminal_outcome"`
		Duplicate bool     `json:"duplicate"`
		Reason    string   `json:"reason"`
		Phase     string   `json:"phase"`
		Completed []string `json:"completed"`
		Result    struct {
			Text string `json:"text"`
		} `json:"result"`
	}
	steps := map[string]step{}
	for line := range strings.Lines(out) {
		var s step
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		steps[s.Step] = s
	}
	if s := steps["waited"]; s.InputID != "frage-ä-1" || s.Outcome != "Completed" || s.Result.Text != "hello from node" {
		t.Errorf("waited: %+v", s)
	}
	if s := steps["repeated"]; !s.Duplicate || s.RunID != steps["waited"].RunID || s.Outcome != "Completed" {
		t.Errorf("repeated: %+v", s)
	}
	if s := steps["joined"]; s.InputID != "o-1" || s.RunID != steps["first"].RunID || s.RunID == "" {
		t.Errorf("joined: %+v, the first was %+v", s, steps["first"])
	}
	if s := steps["image"]; s.Outcome != "Completed" {
		t.Errorf("image: %+v", s)
	}
	if s := steps["refused"]; !strings.Contains(s.Reason, "BlobNotFound") {
		t.Errorf("refused: %+v", s)
	}
	if s := steps["state"]; s.Phase != "Attached" {
		t.Errorf("state: %+v", s)
	}
	if s := steps["feed"]; !slices.Equal(s.Completed, []string{"frage-ä-1", "o-1", "picture"}) {
		t.Errorf("feed: %+v", s)
	}

	// What the log has no more is an error, and not the outcome of something else.
	log, err := w.js.Stream(t.Context(), w.ns.LogStream(w.ns.Shard("s")))
	if err != nil {
		t.Fatal(err)
	}
	last, err := log.GetLastMsgForSubject(t.Context(), w.ns.Log("s"))
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Purge(t.Context(), jetstream.WithPurgeSubject(w.ns.Log("s")), jetstream.WithPurgeSequence(last.Sequence)); err != nil {
		t.Fatal(err)
	}
	again := `
		import { connect } from "@nats-io/transport-node";
		import { Session } from "./kalahari.js";
		const nc = await connect({ servers: process.env.NATS_URL });
		const session = new Session(nc, "` + w.ns.Name() + `", "s");
		const question = { id: "frage-ä-1", source: "/node", type: "run.kalahari.input.prompt.v1", data: { text: "hello from node" } };
		console.log(await session.publishAndWait(question).then(JSON.stringify, (e) => e.message));
		await nc.drain();`
	if err := os.WriteFile(filepath.Join(example.dir, "again.js"), []byte(again), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := example.run([]string{"NATS_URL=nats://" + w.addr}, "node", "again.js"); !strings.Contains(out, "was trimmed") {
		t.Errorf("an outcome that is gone: %s", out)
	}
}
