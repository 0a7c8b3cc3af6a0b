package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// PutBlob stores a payload of a session, such as an image, and returns its reference,
// "sha256:<hex>". An input that is published within a minute refers to it: a prompt in a content
// block {"type":"image","blob":"sha256:..."}, or any event as a whole in the extension
// dataref, which [Client.Publish] does by itself for data over [subjects.MaxInlineData].
//
// The blob is the session's own, and stays for as long as the session remembers an input
// that refers to it. Putting the same data again is safe, and makes sure of that: whoever
// is told that a blob is not found puts it and publishes again.
//
// [ErrTooLarge] if there are more than [subjects.MaxBlob] bytes. After any other error it may
// be stored or not. It takes the permissions of [subjects.RoleGateway].
func (c *Client) PutBlob(ctx context.Context, session string, data []byte) (ref string, err error) {
	ctx, done := c.within(ctx)
	defer done()
	if err := c.putBlob(ctx, session, data); err != nil {
		return "", fmt.Errorf("client: %w", err)
	}
	return kv.Ref(data), nil
}

func (c *Client) putBlob(ctx context.Context, session string, data []byte) error {
	if len(data) > subjects.MaxBlob {
		return fmt.Errorf("blob of %s: %w: %d bytes, at most %d are allowed", session, ErrTooLarge, len(data), subjects.MaxBlob)
	}
	attempt, cancel := context.WithTimeout(ctx, c.transfer())
	defer cancel()
	blobs, err := c.objects(attempt)
	if err == nil {
		_, err = blobs.Put(attempt, session, data)
	}
	return unanswered(ctx, err)
}

// Blob reads a payload of a session: what [Client.PutBlob] stored, or what a large result
// went to ([Outcome.ResultRef]). [ErrBlobNotFound] if there is none, or none that is whole
// any more.
func (c *Client) Blob(ctx context.Context, session, ref string) ([]byte, error) {
	ctx, done := c.within(ctx)
	defer done()
	attempt, cancel := context.WithTimeout(ctx, c.transfer())
	defer cancel()
	blobs, err := c.objects(attempt)
	var data []byte
	if err == nil {
		data, err = blobs.Get(attempt, session, ref)
	}
	switch {
	case err == nil:
		return data, nil
	case errors.Is(err, kv.ErrRef):
		err = fmt.Errorf("%w: %w", ErrBlobRef, err)
	case errors.Is(err, kv.ErrNoBlob), errors.Is(err, kv.ErrCorrupt):
		err = fmt.Errorf("%w: %w", ErrBlobNotFound, err)
	default:
		err = unanswered(ctx, err)
	}
	return nil, fmt.Errorf("client: %w", err)
}

// transfer is how long a blob may take: it may be megabytes.
func (c *Client) transfer() time.Duration { return 4 * c.timeout }

// objects opens the object store when it is first needed.
func (c *Client) objects(ctx context.Context) (*kv.Blobs, error) {
	c.mu.Lock()
	blobs := c.blobs
	c.mu.Unlock()
	if blobs != nil {
		return blobs, nil
	}
	blobs, err := kv.OpenBlobs(ctx, c.js, c.ns)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.blobs = blobs
	c.mu.Unlock()
	return blobs, nil
}
