package machine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// Machine holds one program. Its runs share nothing, and may go on at the same time.
type Machine struct {
	runtime wazero.Runtime
	program wazero.CompiledModule
}

// Build compiles a program and puts it in a machine. The verb is that of the go command
// with its arguments: "build", or "test", "-c" for the tests of a package. A program of
// the size of a NATS server takes half a minute of CPU time. The caller closes the
// machine.
func Build(ctx context.Context, pkg string, verb ...string) (*Machine, error) {
	dir, err := os.MkdirTemp("", "machine")
	if err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "program.wasm")
	// Without the paths of this computer the program is the same on each.
	cmd := exec.CommandContext(ctx, "go", append(verb, "-trimpath", "-buildvcs=false", "-o", file, pkg)...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "GOEXPERIMENT=", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("machine: compile %s: %w\n%s", pkg, err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("machine: compile %s: %w", pkg, err)
	}
	m := &Machine{runtime: wazero.NewRuntime(ctx)}
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err == nil {
		m.program, err = m.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.NumCPU()), text)
	}
	if err != nil {
		_ = m.Close(ctx)
		return nil, fmt.Errorf("machine: load %s: %w", pkg, err)
	}
	return m, nil
}

// Close gives the program's memory back.
func (m *Machine) Close(ctx context.Context) error { return m.runtime.Close(ctx) }

// Outcome is what a run came to. Of two runs with the same chance and arguments all of it
// is equal.
type Outcome struct {
	Stdout, Stderr []byte
	Exit           uint32
	Readings       int // how often the clock was read
	Drawn          int // random bytes
}

// epoch is when every run begins.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC).UnixNano()

// Run runs the program. Chance is where all its random bytes come from. Its disk is empty
// and lives under dir; what it leaves there stays. A program that fails is an outcome; the
// error is the machine's own.
func (m *Machine) Run(ctx context.Context, chance uint64, dir string, args ...string) (*Outcome, error) {
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o700); err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	var o Outcome
	var stdout, stderr bytes.Buffer
	now := epoch
	read := func() int64 {
		o.Readings++
		now += int64(time.Microsecond)
		return now
	}
	disk := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(&disk{sysfs.DirFS(dir)}, "/")
	config := wazero.NewModuleConfig().WithName("").
		WithArgs(append([]string{"program"}, args...)...).WithEnv("TMPDIR", "/tmp").WithEnv("PWD", "/").
		WithStdout(&stdout).WithStderr(&stderr).WithFSConfig(disk).
		WithRandSource(newDice(chance, &o.Drawn)).
		WithWalltime(func() (int64, int32) { t := read(); return t / 1e9, int32(t % 1e9) }, 1).
		WithNanotime(read, 1).
		WithNanosleep(func(ns int64) { now += ns })
	instance, err := m.runtime.InstantiateModule(ctx, m.program, config)
	var exit *sys.ExitError
	switch {
	case errors.As(err, &exit):
		o.Exit = exit.ExitCode()
	case err != nil:
		return nil, fmt.Errorf("machine: %w\n%s", err, stderr.Bytes())
	default:
		_ = instance.Close(ctx)
	}
	o.Stdout, o.Stderr = stdout.Bytes(), stderr.Bytes()
	return &o, nil
}

// dice are the random bytes of one run.
type dice struct {
	*rand.ChaCha8
	drawn *int
}

func newDice(chance uint64, drawn *int) *dice {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], chance)
	return &dice{rand.NewChaCha8(key), drawn}
}

func (d *dice) Read(p []byte) (int, error) {
	*d.drawn += len(p)
	return d.ChaCha8.Read(p)
}
