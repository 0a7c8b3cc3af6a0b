package subjects

import "fmt"

// PublishedSet names which public events get a message of their own on fx.
type PublishedSet string

// The published sets. The zero value is "not said" (see [Settings]).
const (
	// PublishLifecycle is the default: what happened to inputs, commands and
	// runs, signals, and the externally visible effects that are rare.
	PublishLifecycle PublishedSet = "lifecycle"
	// PublishAll is every public event.
	PublishAll PublishedSet = "all"
	// PublishNone leaves everything to the feed.
	PublishNone PublishedSet = "none"
)

// ParsePublishedSet reads a set's name; "" is the default.
func ParsePublishedSet(s string) (PublishedSet, error) {
	switch p := PublishedSet(s); p {
	case "":
		return PublishLifecycle, nil
	case PublishLifecycle, PublishAll, PublishNone:
		return p, nil
	}
	return "", fmt.Errorf("published set %q: lifecycle, all or none", s)
}
