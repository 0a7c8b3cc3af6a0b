package client

import (
	"context"
	"errors"
)

// Query asks about a session and decodes the answer into into, a pointer as for
// encoding/json (a *jsontext.Value keeps it as it is, nil drops it). args is encoded as
// JSON, nil is no arguments.
func (c *Client) Query(ctx context.Context, session, query string, args, into any) error {
	return errors.ErrUnsupported
}
