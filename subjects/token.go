package subjects

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxToken is the longest token in bytes.
const MaxToken = 128

// ErrToken is what every [*TokenError] is, for errors.Is.
var ErrToken = errors.New("illegal token")

// TokenError tells which name is not a token, and why.
type TokenError struct {
	Kind  string // what the token names: "session", "namespace", "mob", ...
	Token string // the refused text
	// Char is the first offending character and Position its byte offset, when
	// a character is to blame; Position is -1 when the length is.
	Char     rune
	Position int
}

func (e *TokenError) Error() string {
	switch {
	case e.Token == "":
		return fmt.Sprintf("%s: illegal token: empty", e.Kind)
	case e.Position < 0:
		return fmt.Sprintf("%s: illegal token: %d bytes, at most %d are allowed", e.Kind, len(e.Token), MaxToken)
	case e.Char == utf8.RuneError:
		return fmt.Sprintf("%s %q: illegal token: byte 0x%02x at position %d (allowed are A-Z a-z 0-9 _ -)",
			e.Kind, e.Token, e.Token[e.Position], e.Position)
	default:
		return fmt.Sprintf("%s %q: illegal token: character %q at position %d (allowed are A-Z a-z 0-9 _ -)",
			e.Kind, e.Token, e.Char, e.Position)
	}
}

// Is makes errors.Is(err, ErrToken) hold.
func (e *TokenError) Is(target error) bool { return target == ErrToken }

// CheckToken refuses s, with a [*TokenError], unless it is a legal token. kind
// says in the error what s was meant to name.
func CheckToken(kind, s string) error {
	if s == "" || len(s) > MaxToken {
		return &TokenError{Kind: kind, Token: s, Position: -1}
	}
	for i := range len(s) {
		if tokenByte(s[i]) {
			continue
		}
		r, _ := utf8.DecodeRuneInString(s[i:])
		return &TokenError{Kind: kind, Token: s, Char: r, Position: i}
	}
	return nil
}

func tokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
