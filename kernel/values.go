package kernel

import (
	"encoding/hex"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MarshalText writes the key as 64 hex digits.
func (k PeerSigningKey) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, k[:]), nil
}

// UnmarshalText reads 64 hex digits.
func (k *PeerSigningKey) UnmarshalText(text []byte) error {
	if len(text) != 2*len(k) {
		return fmt.Errorf("a peer signing key has %d hex digits, got %d", 2*len(k), len(text))
	}
	_, err := hex.Decode(k[:], text)
	return err
}

// ToolFilterKind tells the variants of a [ToolFilter] apart.
type ToolFilterKind uint8

const (
	FilterAll ToolFilterKind = iota
	FilterAllow
	FilterDeny
)

// ToolFilter is a tagged union (chapter 01): All, Allow(names) or Deny(names). The zero
// value is All. In JSON it is "All", {"Allow":[...]} or {"Deny":[...]}.
type ToolFilter struct {
	Kind  ToolFilterKind
	Names Set[ToolName]
}

// Equal compares variant and names.
func (f ToolFilter) Equal(g ToolFilter) bool {
	return f.Kind == g.Kind && (f.Kind == FilterAll || f.Names.Equal(g.Names))
}

// Clone copies the names.
func (f ToolFilter) Clone() ToolFilter {
	return ToolFilter{Kind: f.Kind, Names: f.Names.Clone()}
}

// MarshalJSONTo writes the tagged form.
func (f ToolFilter) MarshalJSONTo(enc *jsontext.Encoder) error {
	switch f.Kind {
	case FilterAllow:
		return json.MarshalEncode(enc, map[string]Set[ToolName]{"Allow": f.Names})
	case FilterDeny:
		return json.MarshalEncode(enc, map[string]Set[ToolName]{"Deny": f.Names})
	default:
		return enc.WriteToken(jsontext.String("All"))
	}
}

// UnmarshalJSONFrom reads the tagged form.
func (f *ToolFilter) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '"' {
		var name string
		if err := json.UnmarshalDecode(dec, &name); err != nil {
			return err
		}
		if name != "All" {
			return fmt.Errorf("unknown tool filter %q", name)
		}
		*f = ToolFilter{}
		return nil
	}
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	var tagged map[string]Set[ToolName]
	if err := unmarshalChecked(value, &tagged, noMember); err != nil {
		return err
	}
	for tag, names := range tagged {
		switch {
		case len(tagged) != 1:
		case tag == "Allow":
			*f = ToolFilter{FilterAllow, names}
			return nil
		case tag == "Deny":
			*f = ToolFilter{FilterDeny, names}
			return nil
		}
	}
	return fmt.Errorf(`a tool filter is "All", {"Allow":[...]} or {"Deny":[...]}`)
}

// OpTerminalKind tells the variants of an [OpTerminalPayload] apart.
type OpTerminalKind uint8

const (
	OpRetired OpTerminalKind = iota
	OpCompleted
	OpFailed
	OpAborted
	OpCancelled
	OpTerminated
)

// OpTerminalPayload is a tagged union (chapter 04): how an operation ended and with
// what. Only the fields of the variant are set: Result for Completed, Error for Failed,
// Reason for Aborted, Cancelled (optional) and Terminated (always some).
type OpTerminalPayload struct {
	Kind   OpTerminalKind
	Result OperationResult
	Error  string
	Reason Opt[string]
}

type (
	opError struct {
		Error string `json:"error"`
	}
	opOptionalReason struct {
		Reason Opt[string] `json:"reason"`
	}
	opReason struct {
		Reason string `json:"reason"`
	}
)

// whole writes zero values too: the payload of a variant is read as strictly in a snapshot,
// which leaves zero values out elsewhere, as anywhere.
var whole = json.OmitZeroStructFields(false)

// MarshalJSONTo writes "Retired" or {"Variant": payload}.
func (p OpTerminalPayload) MarshalJSONTo(enc *jsontext.Encoder) error {
	switch p.Kind {
	case OpCompleted:
		return json.MarshalEncode(enc, map[string]OperationResult{"Completed": p.Result}, whole)
	case OpFailed:
		return json.MarshalEncode(enc, map[string]opError{"Failed": {p.Error}}, whole)
	case OpAborted:
		return json.MarshalEncode(enc, map[string]opOptionalReason{"Aborted": {p.Reason}}, whole)
	case OpCancelled:
		return json.MarshalEncode(enc, map[string]opOptionalReason{"Cancelled": {p.Reason}}, whole)
	case OpTerminated:
		return json.MarshalEncode(enc, map[string]opReason{"Terminated": {p.Reason.Value()}}, whole)
	default:
		return enc.WriteToken(jsontext.String("Retired"))
	}
}

// UnmarshalJSONFrom reads the tagged form.
func (p *OpTerminalPayload) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '"' {
		var name string
		if err := json.UnmarshalDecode(dec, &name); err != nil {
			return err
		}
		if name != "Retired" {
			return fmt.Errorf("unknown operation terminal payload %q", name)
		}
		*p = OpTerminalPayload{}
		return nil
	}
	var tagged map[string]jsontext.Value
	if err := json.UnmarshalDecode(dec, &tagged); err != nil {
		return err
	}
	if len(tagged) != 1 {
		return fmt.Errorf("an operation terminal payload has exactly one variant, got %d", len(tagged))
	}
	for tag, body := range tagged {
		switch tag {
		case "Completed":
			*p = OpTerminalPayload{Kind: OpCompleted}
			return unmarshalChecked(body, &p.Result, optionalMembers)
		case "Failed":
			var v opError
			err := unmarshalChecked(body, &v, optionalMembers)
			*p = OpTerminalPayload{Kind: OpFailed, Error: v.Error}
			return err
		case "Aborted", "Cancelled":
			var v opOptionalReason
			err := unmarshalChecked(body, &v, optionalMembers)
			*p = OpTerminalPayload{Kind: OpAborted, Reason: v.Reason}
			if tag == "Cancelled" {
				p.Kind = OpCancelled
			}
			return err
		case "Terminated":
			var v opReason
			err := unmarshalChecked(body, &v, optionalMembers)
			*p = OpTerminalPayload{Kind: OpTerminated, Reason: Some(v.Reason)}
			return err
		default:
			return fmt.Errorf("unknown operation terminal payload %q", tag)
		}
	}
	return nil
}
