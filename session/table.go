package session

import (
	"fmt"
	"maps"

	"github.com/kalahari-run/kalahari/subjects"
)

// handler carries out one command and answers it with a report (nil is an empty one), a
// refusal, or errWaiting.
type handler func(*Session, *command) (report any, err error)

// handlers are the commands that change something, by name. Each part stands in the file
// of its subject.
var handlers = table(
	// Chapter 01: the lifecycle.
	lifecycleCommands,
	// Ours: the operators' hold.
	holdCommands,
	// Chapter 05: visible tools, the model and its routing, image operations.
	visibilityCommands, identityCommands, routingCommands, imageCommands,
	// Chapter 06: the comms drain, words with peers.
	drainCommands,
	peerCommands,
	// Chapter 04: operations.
	operationCommands,
	// Chapter 01: what has a machine of its own.
	deferredCommands, operatorCommands,
)

// questions are what a [View] answers, by name: queries, and the read-only commands of
// the command table. Each part stands in the file of its subject.
var questions = table(
	// Where the session stands, its inputs.
	stateQuestions, registryQuestions, receiptQuestions,
	// Chapter 05.
	visibilityQuestions, identityQuestions, routingQuestions,
	// Operations that run or ended.
	operationQuestions,
	// Chapter 01: what has a machine of its own.
	deferredQuestions, operatorQuestions,
)

func table[V any](parts ...map[string]V) map[string]V {
	all := map[string]V{}
	for _, part := range parts {
		for name := range part {
			if _, twice := all[name]; twice {
				panic("session: two handlers for " + name)
			}
		}
		maps.Copy(all, part)
	}
	return all
}

// needsLife reports whether a command brings a session to life that is not built yet: all
// do that change something, but for those of the slot, of the authority and of the
// hold, which lie before it and beside it, and for the interrupt, which only ends things.
func needsLife(name string) bool {
	_, changes := handlers[name]
	_, before := deferredCommands[name]
	_, beside := operatorCommands[name]
	_, hold := holdCommands[name]
	return changes && !before && !beside && !hold && name != "interrupt"
}

// handlerOf finds who carries a command out. A read-only command is a question put
// between the session's inputs.
func handlerOf(name string) handler {
	if h, ok := handlers[name]; ok {
		return h
	}
	known, ok := subjects.Lookup(subjects.CommandType(name))
	if q, answered := questions[name]; answered && ok && known.ReadOnly {
		return func(s *Session, c *command) (any, error) { return q(&View{s}, c.data) }
	}
	return func(*Session, *command) (any, error) {
		return nil, &refusal{kind: "UnknownCommand", reason: fmt.Sprintf("there is no command %q", name)}
	}
}
