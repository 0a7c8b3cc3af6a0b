package cli

import (
	"fmt"
	"strings"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/subjects"
)

// planned is a namespace that need not exist yet: a server is configured before it.
type planned struct {
	Namespace connect.Namespace `embed:""`
	Shards    int               `name:"shards" env:"KALAHARI_SHARDS" default:"8" help:"Shards of the namespace, now or to be."`
}

func (p planned) namespace() (subjects.Namespace, error) {
	return subjects.NewNamespace(p.Namespace.Namespace, p.Shards)
}

// Mappings is the command config mappings.
type Mappings struct{ planned }

// Run prints the block for the account.
func (c Mappings) Run(e *Env) error {
	ns, err := c.namespace()
	if err != nil {
		return err
	}
	mappings := ns.Mappings()
	if e.JSON {
		return e.print(mappings)
	}
	var b strings.Builder
	b.WriteString("mappings: {\n")
	for _, m := range mappings {
		fmt.Fprintf(&b, "  %q: %q\n", m.Source, m.Destination)
	}
	b.WriteString("}")
	return e.say("%s", b.String())
}

// Permissions is the command config permissions.
type Permissions struct {
	planned
	Role  subjects.Role `arg:"" enum:"producer,subscriber,gateway,worker,operator" help:"producer, subscriber, gateway, worker or operator."`
	Inbox string        `name:"inbox-prefix" env:"NATS_INBOX_PREFIX" help:"Prefix of the user's inboxes, so that users do not read each other's answers. Default _INBOX."`
}

// Run prints the block for the user.
func (c Permissions) Run(e *Env) error {
	ns, err := c.namespace()
	if err != nil {
		return err
	}
	p, err := ns.Permissions(c.Role, c.Inbox)
	if err != nil {
		return err
	}
	if e.JSON {
		return e.print(map[string]any{"publish": p.Publish, "subscribe": p.Subscribe, "responses": p.Responses.String()})
	}
	return e.say("%s", strings.TrimSuffix(p.Config(""), "\n"))
}
