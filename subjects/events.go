package subjects

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cloudevents/sdk-go/v2/binding/format"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
)

// Extensions of CloudEvents that we read or write.
const (
	ExtIdempotencyKey  = "idempotencykey"
	ExtCorrelationID   = "correlationid"
	ExtCausationID     = "causationid"
	ExtLane            = "lane"
	ExtDurability      = "durability"
	ExtSupersessionKey = "supersessionkey"
	ExtDeliverAt       = "deliverat"
	ExtTraceParent     = "traceparent"
	ExtTraceState      = "tracestate"
	ExtSequence        = "sequence"
	ExtFence           = "fence"
	ExtDataRef         = "dataref"
)

// Headers of ours on a commit.
const (
	HeaderCommitID = "Kalahari-Commit-Id" // the commit's own id, of (fence, incarnation, counter)
	HeaderCommit   = "Kalahari-Commit"    // the commit's number, from 1 without gaps
	HeaderFence    = "Kalahari-Fence"     // the fence token of the owner that wrote it
	HeaderPrev     = "Kalahari-Prev"      // the stream sequence of the commit before, 0 for the first
)

// HeaderReason, on a message under DEAD, says why the event could not be taken.
const HeaderReason = "Kalahari-Reason"

// Media types of CloudEvents.
const (
	MediaStructured = event.ApplicationCloudEventsJSON
	MediaBatch      = event.ApplicationCloudEventsBatchJSON
)

// MaxAttribute is the longest attribute value in bytes. Ids and keys are kept in
// session state, which must stay bounded whatever a producer sends.
const MaxAttribute = 4096

// MaxInlineData is the largest data of an event, in bytes, that SDK, gateway and
// workers send in the message itself. Larger ones go to the object store, and the
// event refers to them. A session takes larger ones inline, up to its namespace's
// limit.
const MaxInlineData = 64 << 10

// MaxBlob is the largest payload in bytes that an input may refer to: it is held in
// memory while a run uses it.
const MaxBlob = 16 << 20

// ErrDecode is what every [*DecodeError] is, for errors.Is.
var ErrDecode = errors.New("not a CloudEvent")

// DecodeError tells why a message is not a CloudEvent.
type DecodeError struct {
	// Attribute that is missing or wrong; "data" for the payload, "" if the
	// message as a whole is.
	Attribute string
	Reason    string
}

func (e *DecodeError) Error() string {
	if e.Attribute == "" {
		return "cloudevent: " + e.Reason
	}
	return "cloudevent: " + e.Attribute + ": " + e.Reason
}

// Is makes errors.Is(err, ErrDecode) hold.
func (e *DecodeError) Is(target error) bool { return target == ErrDecode }

// refuse quotes what a producer sent, so both parts are cut to a length that a header or
// an answer has room for.
func refuse(attribute, reason string, args ...any) error {
	return &DecodeError{Attribute: Clip(attribute, 128), Reason: Clip(fmt.Sprintf(reason, args...), MaxReason)}
}

// MaxReason is the longest explanation in bytes that quotes what somebody sent.
const MaxReason = 1024

// Clip cuts text to n bytes of valid UTF-8, the mark that it was cut included.
func Clip(text string, n int) string {
	const cut = "…"
	if len(text) > n {
		n -= len(cut)
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n] + cut
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// DecodeMsg reads the CloudEvent a NATS message carries; see [Decode].
func DecodeMsg(msg *nats.Msg) (event.Event, error) { return Decode(msg.Header, msg.Data) }

// Decode reads a CloudEvent 1.0 from headers and data, NATS's or HTTP's.
//
// It is in structured mode if Content-Type starts with application/cloudevents,
// and in binary mode otherwise: attributes in percent-encoded ce- headers, the
// media type of the data in ce-datacontenttype or, failing that, Content-Type.
// Header names are matched without regard to case. The event does not share
// memory with data in structured mode; in binary mode its data is data.
//
// Everything it refuses is a [*DecodeError] naming the attribute. It refuses
// more than the SDK does: attributes given twice, control characters, broken
// percent-encoding, numbers that are no 32-bit integers, unknown versions, and
// values beyond [MaxAttribute].
func Decode(h map[string][]string, data []byte) (event.Event, error) {
	contentType, err := header(h, "content-type")
	if err != nil {
		return event.Event{}, err
	}
	if media := strings.ToLower(contentType); strings.HasPrefix(media, format.Prefix) {
		media, _, _ = strings.Cut(media, ";")
		switch strings.TrimSpace(media) {
		case MediaStructured:
			return DecodeJSON(data)
		case MediaBatch:
			return event.Event{}, refuse("", "a batch where one event is expected")
		}
		return event.Event{}, refuse("", "event format %q is not supported, %s is", contentType, MediaStructured)
	}
	return decodeBinary(h, contentType, data)
}

// header finds a header whatever its case, and refuses two of it.
func header(h map[string][]string, name string) (value string, err error) {
	found := false
	for k, vs := range h {
		if len(k) != len(name) || !strings.EqualFold(k, name) || len(vs) == 0 {
			continue
		}
		if found || len(vs) > 1 {
			return "", refuse(name, "header is given twice")
		}
		value, found = vs[0], true
	}
	return value, nil
}

const prefix = "ce-"

func decodeBinary(h map[string][]string, contentType string, data []byte) (event.Event, error) {
	b := builder{ctx: &event.EventContextV1{}}
	for k, vs := range h {
		if len(k) <= len(prefix) || !strings.EqualFold(k[:len(prefix)], prefix) || len(vs) == 0 {
			continue
		}
		name := strings.ToLower(k[len(prefix):])
		if len(vs) > 1 {
			return event.Event{}, refuse(name, "given twice")
		}
		value, err := percentDecode(vs[0])
		if err != nil {
			return event.Event{}, refuse(name, "%v", err)
		}
		if err := b.set(name, value); err != nil {
			return event.Event{}, err
		}
	}
	if !b.has("specversion") {
		return event.Event{}, refuse("specversion",
			"missing: neither a ce-specversion header (binary mode) nor Content-Type %s (structured mode)", MediaStructured)
	}
	if contentType != "" && b.ctx.DataContentType == nil {
		if err := b.set("datacontenttype", contentType); err != nil {
			return event.Event{}, err
		}
	}
	return b.event(data)
}

// DecodeJSON reads one event in the JSON event format.
func DecodeJSON(data []byte) (event.Event, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	ev, err := decodeObject(d)
	if err != nil {
		return event.Event{}, err
	}
	return ev, trailing(d)
}

// ErrBatch is a batch with more events than its reader takes.
var ErrBatch = errors.New("the batch has too many events")

// DecodeBatch reads a JSON array of at most so many events, the batched mode of
// HTTP. The error says which event is at fault; it is [ErrBatch] if there are
// more, and those are not read: a short text can have very many.
func DecodeBatch(data []byte, most int) ([]event.Event, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	if t, err := d.ReadToken(); err != nil {
		return nil, refuse("", "not JSON: %v", err)
	} else if t.Kind() != '[' {
		return nil, refuse("", "a batch is a JSON array, this is a %s", kindName(t.Kind()))
	}
	evs := []event.Event{}
	for d.PeekKind() != ']' {
		if len(evs) == most {
			return nil, fmt.Errorf("%w: at most %d are allowed", ErrBatch, most)
		}
		ev, err := decodeObject(d)
		if err != nil {
			return nil, fmt.Errorf("event %d of the batch: %w", len(evs), err)
		}
		evs = append(evs, ev)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, refuse("", "not JSON: %v", err)
	}
	return evs, trailing(d)
}

func trailing(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != io.EOF {
		return refuse("", "more after the end of the JSON")
	}
	return nil
}

// decodeObject reads one event. It does not use the SDK's decoder: that one
// panics on `"data_base64":1`, cuts fractions off numbers, lets the last of two
// equal members win, and does not name the attribute it refuses.
func decodeObject(d *jsontext.Decoder) (event.Event, error) {
	b := builder{ctx: &event.EventContextV1{}}
	if k := d.PeekKind(); k != '{' {
		if _, err := d.ReadToken(); err != nil {
			return event.Event{}, refuse("", "not JSON: %v", err)
		}
		return event.Event{}, refuse("", "an event is a JSON object, this is a %s", kindName(k))
	}
	if _, err := d.ReadToken(); err != nil {
		return event.Event{}, refuse("", "not JSON: %v", err)
	}
	var data, base64Data jsontext.Value
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return event.Event{}, refuse("", "not JSON: %v", err)
		}
		name := t.String()
		v, err := d.ReadValue()
		if err != nil {
			return event.Event{}, refuse(name, "not JSON: %v", err)
		}
		switch name {
		case "data":
			data = v.Clone()
			continue
		case "data_base64":
			base64Data = v.Clone()
			continue
		}
		if err := b.setJSON(name, v); err != nil {
			return event.Event{}, err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return event.Event{}, refuse("", "not JSON: %v", err)
	}
	if base64Data.Kind() == 'n' {
		base64Data = nil
	}
	switch {
	case data != nil && base64Data != nil:
		return event.Event{}, refuse("data", "given as data and as data_base64")
	case base64Data != nil:
		text, ok := unquote(base64Data)
		raw, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return event.Event{}, refuse("data_base64", "not a base64 string")
		}
		b.base64 = true
		return b.event(raw)
	case data != nil && !b.json():
		text, ok := unquote(data)
		if !ok {
			return event.Event{}, refuse("data", "data of type %s must be a JSON string, not a %s", *b.ctx.DataContentType, kindName(data.Kind()))
		}
		return b.event([]byte(text))
	}
	return b.event(data)
}

func unquote(v jsontext.Value) (string, bool) {
	if v.Kind() != '"' {
		return "", false
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1]), true
	}
	text, err := jsontext.AppendUnquote(nil, v)
	return string(text), err == nil
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	case '0':
		return "number"
	case '{':
		return "object"
	case '[':
		return "array"
	}
	return "mistake"
}

// builder collects attributes into a context.
type builder struct {
	ctx    *event.EventContextV1
	seen   uint8 // bits of the context attributes given
	base64 bool
}

var attributes = [...]string{"specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype"}

func (b *builder) has(name string) bool {
	i := slices.Index(attributes[:], name)
	return i >= 0 && b.seen&(1<<i) != 0
}

func (b *builder) setJSON(name string, v jsontext.Value) error {
	switch v.Kind() {
	case 'n': // as if it were not there
		return nil
	case '"':
		text, _ := unquote(v)
		return b.set(name, text)
	}
	if slices.Contains(attributes[:], name) {
		return refuse(name, "must be a string, not a %s", kindName(v.Kind()))
	}
	switch v.Kind() {
	case 't', 'f':
		return b.extension(name, v.Kind() == 't')
	case '0':
		n, err := strconv.ParseInt(string(v), 10, 32)
		if err != nil {
			return refuse(name, "%s is not a 32-bit integer", v)
		}
		return b.extension(name, int32(n))
	}
	return refuse(name, "must be a string, boolean or integer, not a %s", kindName(v.Kind()))
}

func (b *builder) set(name, value string) error {
	if err := CheckAttribute(name, value); err != nil {
		return err
	}
	i := slices.Index(attributes[:], name)
	if i < 0 {
		return b.extension(name, value)
	}
	if b.seen&(1<<i) != 0 {
		return refuse(name, "given twice")
	}
	b.seen |= 1 << i
	if value == "" {
		return refuse(name, "must not be empty")
	}
	switch name {
	case "specversion":
		if value != event.CloudEventsVersionV1 {
			return refuse(name, "version %q is not supported, 1.0 is", value)
		}
	case "id":
		b.ctx.ID = value
	case "type":
		b.ctx.Type = value
	case "subject":
		text := value // so that the others stay where they are
		b.ctx.Subject = &text
	case "source":
		if b.ctx.SetSource(value) != nil {
			return refuse(name, "%q is not a URI reference", value)
		}
	case "dataschema":
		if b.ctx.SetDataSchema(value) != nil {
			return refuse(name, "%q is not a URI", value)
		}
	case "datacontenttype":
		text := value
		b.ctx.DataContentType = &text
	case "time":
		t, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return refuse(name, "%q is not an RFC 3339 time", value)
		}
		if year := t.UTC().Year(); year < 1 || year > 9999 {
			return refuse(name, "%q is, in UTC, outside the years 1 to 9999", value) // no RFC 3339 text says it
		}
		if err := b.ctx.SetTime(t); err != nil {
			return refuse(name, "%v", err)
		}
	}
	return nil
}

func (b *builder) extension(name string, value any) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return refuse(name, "attribute names consist of a-z and 0-9")
	}
	if name == "data" {
		return refuse(name, "not the name of an attribute")
	}
	if _, twice := b.ctx.Extensions[name]; twice {
		return refuse(name, "given twice")
	}
	if err := b.ctx.SetExtension(name, value); err != nil {
		return refuse(name, "%v", err)
	}
	return nil
}

// CheckAttribute refuses, with a [*DecodeError], text that is no value of an attribute: too
// long, no UTF-8, or with control characters.
func CheckAttribute(name, value string) error {
	if len(value) > MaxAttribute {
		return refuse(name, "%d bytes, at most %d are allowed", len(value), MaxAttribute)
	}
	if !utf8.ValidString(value) {
		return refuse(name, "not UTF-8")
	}
	for i, r := range value {
		if unicode.IsControl(r) {
			return refuse(name, "control character %U at position %d", r, i)
		}
	}
	return nil
}

func (b *builder) json() bool {
	return b.ctx.DataContentType == nil || isJSON(*b.ctx.DataContentType)
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

func (b *builder) event(data []byte) (event.Event, error) {
	for _, name := range [...]string{"specversion", "id", "source", "type"} {
		if !b.has(name) {
			return event.Event{}, refuse(name, "missing")
		}
	}
	if invalid := b.ctx.Validate(); len(invalid) > 0 {
		name := slices.Min(slices.Collect(maps.Keys(invalid)))
		return event.Event{}, refuse(name, "%v", invalid[name])
	}
	if len(data) == 0 {
		data = nil
	}
	return event.Event{Context: b.ctx, DataEncoded: data, DataBase64: b.base64}, nil
}

// EncodeBinary makes the message that carries ev in binary mode.
func EncodeBinary(ev event.Event, subject string) (*nats.Msg, error) {
	if err := ev.Validate(); err != nil {
		return nil, fmt.Errorf("encode event %q: %w", ev.ID(), err)
	}
	h := nats.Header{}
	put := func(name, value string) {
		if value != "" {
			h[prefix+name] = []string{percentEncode(value)}
		}
	}
	put("specversion", ev.SpecVersion())
	put("id", ev.ID())
	put("source", ev.Source())
	put("type", ev.Type())
	put("subject", ev.Subject())
	put("dataschema", ev.DataSchema())
	put("datacontenttype", ev.DataContentType())
	if t := ev.Time(); !t.IsZero() {
		put("time", t.UTC().Format(time.RFC3339Nano))
	}
	for name, value := range ev.Extensions() {
		text, err := FormatExtension(value)
		if err != nil {
			return nil, fmt.Errorf("encode event %q: %s: %w", ev.ID(), name, err)
		}
		h[prefix+name] = []string{percentEncode(text)} // an empty extension is one all the same
	}
	return &nats.Msg{Subject: subject, Header: h, Data: ev.Data()}, nil
}

// FormatExtension spells the value of an extension as its type's canonical text. It fails for a
// value that is of no type of CloudEvents.
func FormatExtension(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int32:
		return strconv.Itoa(int(v)), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case fmt.Stringer: // the SDK's timestamp
		return v.String(), nil
	}
	// The SDK's URIs have String on the pointer only; JSON spells them too.
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var text string
	err = json.Unmarshal(raw, &text)
	return text, err
}

// EncodeStructured makes the message that carries ev in structured mode.
func EncodeStructured(ev event.Event, subject string) (*nats.Msg, error) {
	data, err := EncodeJSON(ev)
	if err != nil {
		return nil, err
	}
	return &nats.Msg{Subject: subject, Header: nats.Header{"Content-Type": []string{MediaStructured}}, Data: data}, nil
}

// EncodeJSON writes ev in the JSON event format, data last and as it is. Data
// that fits no JSON member goes into data_base64. It does not use the SDK's
// encoder: that one makes broken JSON of empty data, rewrites the spelling of
// JSON data, and takes +json types for text.
func EncodeJSON(ev event.Event) ([]byte, error) {
	if err := ev.Validate(); err != nil {
		return nil, fmt.Errorf("encode event %q: %w", ev.ID(), err)
	}
	w := writer{buf: make([]byte, 0, 256+len(ev.DataEncoded))}
	w.text("specversion", ev.SpecVersion())
	w.text("id", ev.ID())
	w.text("source", ev.Source())
	w.text("type", ev.Type())
	w.text("subject", ev.Subject())
	w.text("datacontenttype", ev.DataContentType())
	w.text("dataschema", ev.DataSchema())
	if t := ev.Time(); !t.IsZero() {
		w.text("time", t.UTC().Format(time.RFC3339Nano))
	}
	extensions := ev.Extensions()
	for _, name := range slices.Sorted(maps.Keys(extensions)) {
		text, err := FormatExtension(extensions[name])
		if err != nil {
			return nil, fmt.Errorf("encode event %q: %s: %w", ev.ID(), name, err)
		}
		switch extensions[name].(type) {
		case bool, int32:
			w.raw(name, text)
		default:
			w.quoted(name, text)
		}
	}
	if data := ev.DataEncoded; len(data) > 0 {
		mediaType := ev.DataContentType()
		asJSON := mediaType == "" || isJSON(mediaType)
		switch {
		case ev.DataBase64 || asJSON && (TooDeep(data) || !jsontext.Value(data).IsValid()) || !utf8.Valid(data):
			w.quoted("data_base64", base64.StdEncoding.EncodeToString(data))
		case asJSON:
			w.raw("data", string(data))
		default:
			w.quoted("data", string(data))
		}
	}
	if w.err != nil {
		return nil, fmt.Errorf("encode event %q: %w", ev.ID(), w.err)
	}
	return append(w.buf, '}'), nil
}

// writer writes the members of one JSON object.
type writer struct {
	buf []byte
	err error
}

func (w *writer) name(name string) {
	if len(w.buf) == 0 {
		w.buf = append(w.buf, '{')
	} else {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(append(append(w.buf, '"'), name...), '"', ':')
}

func (w *writer) raw(name, value string) {
	w.name(name)
	w.buf = append(w.buf, value...)
}

func (w *writer) quoted(name, value string) {
	w.name(name)
	var err error
	if w.buf, err = jsontext.AppendQuote(w.buf, value); err != nil {
		w.err = errors.Join(w.err, fmt.Errorf("%s: %w", name, err))
	}
}

func (w *writer) text(name, value string) {
	if value != "" {
		w.quoted(name, value)
	}
}

// MaxDepth is how many levels JSON data may be nested. A reader of the feed has data
// inside an event inside a commit, and JSON readers stop at some depth, most at 10,000
// levels or earlier: what is taken in must be readable there too.
const MaxDepth = 1000

// TooDeep tells whether JSON is nested deeper than [MaxDepth]. It counts brackets and does
// not check the JSON.
func TooDeep(data []byte) bool {
	if len(data) <= 2*MaxDepth {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// EncodeBatch writes events as a JSON array, the batched mode of HTTP.
func EncodeBatch(evs []event.Event) ([]byte, error) {
	out := []byte{'['}
	for i, ev := range evs {
		data, err := EncodeJSON(ev)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, data...)
	}
	return append(out, ']'), nil
}

// HeaderValue is the value of a ce- header for an attribute of that text.
func HeaderValue(text string) string { return percentEncode(text) }

// percentEncode encodes what the HTTP binding says: everything outside U+0021 to
// U+007E, the quote and the percent sign.
func percentEncode(s string) string {
	plain := func(c byte) bool { return c > ' ' && c < 0x7f && c != '"' && c != '%' }
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

// percentDecode undoes percentEncode, and what a lax producer left unencoded;
// a value in double quotes is unquoted first, as the binding asks.
func percentDecode(s string) (string, error) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
	}
	if !strings.Contains(s, "%") {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", fmt.Errorf("percent-encoding is cut off at position %d", i)
		}
		var c [1]byte
		if _, err := hex.Decode(c[:], []byte(s[i+1:i+3])); err != nil {
			return "", fmt.Errorf("%q at position %d is not percent-encoding (a percent sign is written %%25)", s[i:i+3], i)
		}
		out = append(out, c[0])
		i += 2
	}
	return string(out), nil
}

// ---- identity ----

// MsgID is the Nats-Msg-Id of an event published to a session:
//
//	<session>:<first 32 hex digits of SHA-256("<len(source)>:<source><id>")>
//
// The session is in it because the window is the stream's: the same event sent
// to two sessions of a shard is two messages. The length keeps ("a","bc") and
// ("ab","c") apart.
func MsgID(session string, ev event.Event) string {
	source, id := ev.Source(), ev.ID()
	buf := make([]byte, 0, 256)
	buf = strconv.AppendInt(buf, int64(len(source)), 10)
	buf = append(buf, ':')
	buf = append(append(buf, source...), id...)
	sum := sha256.Sum256(buf)
	out := make([]byte, 0, len(session)+33)
	out = append(append(out, session...), ':')
	return string(hex.AppendEncode(out, sum[:16]))
}

// Source is the CloudEvents source of what a session publishes.
func (n Namespace) Source(session string) string {
	return "/kalahari/" + n.name + "/sessions/" + session
}

// Position is a place in a session's feed: the sequence of a commit in the log,
// and the index of an event in it. It is where a subscriber resumes.
type Position struct {
	Commit uint64
	Index  int
}

// String is "<commit>.<index>".
func (p Position) String() string { return string(p.append(make([]byte, 0, 32))) }

func (p Position) append(b []byte) []byte {
	b = append(strconv.AppendUint(b, p.Commit, 10), '.')
	return strconv.AppendInt(b, int64(p.Index), 10)
}

// ParsePosition reads what [Position.String] wrote.
func ParsePosition(s string) (Position, error) {
	commit, index, ok := strings.Cut(s, ".")
	c, err := strconv.ParseUint(commit, 10, 64)
	i, err2 := strconv.Atoi(index)
	if !ok || err != nil || err2 != nil || i < 0 {
		return Position{}, fmt.Errorf("position %q: want <commit>.<index>", s)
	}
	return Position{Commit: c, Index: i}, nil
}

// EventID is the CloudEvents id of what a session publishes: "<session>/<position>".
func EventID(session string, p Position) string {
	return string(p.append(append(append(make([]byte, 0, 64), session...), '/')))
}

// ParseEventID reads what [EventID] wrote.
func ParseEventID(id string) (session string, p Position, err error) {
	session, pos, ok := strings.Cut(id, "/")
	if !ok {
		return "", Position{}, fmt.Errorf("event id %q: want <session>/<commit>.<index>", id)
	}
	if err := CheckToken("session", session); err != nil {
		return "", Position{}, fmt.Errorf("event id %q: %w", id, err)
	}
	p, err = ParsePosition(pos)
	if err != nil {
		return "", Position{}, fmt.Errorf("event id %q: %w", id, err)
	}
	return session, p, nil
}
