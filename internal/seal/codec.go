package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind is an object's kind (section 3 of protocol/SPEC.md).
type Kind byte

// The kinds that are in use.
const (
	KindGenesis     Kind = 1
	KindEpoch       Kind = 2
	KindEvent       Kind = 3
	KindGrant       Kind = 4
	KindKeyObject   Kind = 5
	KindPolicy      Kind = 7
	KindCertificate Kind = 8
	KindStatus      Kind = 9
	KindEnrolment   Kind = 10
	KindRootChange  Kind = 11
	KindReceipt     Kind = 12
	KindSession     Kind = 13
	KindWrap        Kind = 14
)

// kinds gives the name and the limit in bytes of every kind.
var kinds = map[Kind]struct {
	name  string
	limit int
}{
	KindGenesis:     {"genesis", 512},
	KindEpoch:       {"epoch", 4096},
	KindEvent:       {"event", 16384},
	KindGrant:       {"grant", 65536},
	KindKeyObject:   {"key object", 2048},
	KindPolicy:      {"policy", 16384},
	KindCertificate: {"certificate", 1024},
	KindStatus:      {"status", 262144},
	KindEnrolment:   {"enrolment request", 512},
	KindRootChange:  {"root change", 512},
	KindReceipt:     {"receipt", 512},
	KindSession:     {"session proof", 512},
	KindWrap:        {"wrap", 2048},
}

// String is the kind's name in a sentence.
func (k Kind) String() string {
	if known, ok := kinds[k]; ok {
		return known.name
	}
	return fmt.Sprintf("object of kind %d", byte(k))
}

// Limit is the largest size of a kind's objects, in bytes.
func (k Kind) Limit() int { return kinds[k].limit }

// KindOf is the kind that an object's header names; nothing is checked.
func KindOf(object []byte) Kind {
	if len(object) < 2 {
		return 0
	}
	return Kind(object[1])
}

const (
	version    = 1
	suite      = 0x647a
	headerSize = 4
	maxInteger = 1<<53 - 1 // what a browser's number holds
)

// Object is any object of section 4. Its fields are described once, by a
// method that reads or writes them.
type Object interface {
	kind() Kind
	fields(c *codec)
	base() *encoded
}

// encoded is what every object embeds: its bytes, and where each signature
// begins.
type encoded struct {
	bytes      []byte
	signatures []int
	hash       [32]byte // of bytes, once they were parsed
	hashed     bool
}

func (e *encoded) base() *encoded { return e }

// Bytes is the complete object. It must not be written to.
func (e *encoded) Bytes() []byte { return e.bytes }

// Hash is the SHA-256 of the complete object.
func (e *encoded) Hash() [32]byte {
	if e.hashed {
		return e.hash
	}
	return sha256.Sum256(e.bytes)
}

// signed is what signature number i of the object covers.
func signed(o Object, org [32]byte, prefix []byte, i int) Signed {
	e := o.base()
	return Signed{Kind: byte(o.kind()), Org: org, Prefix: prefix, Content: e.bytes[:e.signatures[i]]}
}

// verified checks signature number i by a key, and refuses by rule what is not
// signed by it.
func verified(o Object, org [32]byte, prefix []byte, i int, key [32]byte, rule Refusal) error {
	at := o.base().signatures[i]
	err := signed(o, org, prefix, i).Verify(key[:], o.base().bytes[at:at+ed25519.SignatureSize])
	if err != nil {
		return rule.Because("the signature of the %s: %v", o.kind(), err)
	}
	return nil
}

// Sign completes an object: it signs with each key in turn, one for each
// signature, and keeps the bytes. It panics when the object does not keep
// section 4 or the keys are not as many as the signatures: what we make, we
// make well.
func Sign(o Object, org [32]byte, prefix []byte, keys ...ed25519.PrivateKey) {
	encode(o)
	e := o.base()
	if len(keys) != len(e.signatures) {
		panic(fmt.Sprintf("seal: %d keys for %d signatures of a %s", len(keys), len(e.signatures), o.kind()))
	}
	for i, key := range keys {
		copy(e.bytes[e.signatures[i]:], signed(o, org, prefix, i).Sign(key))
	}
	whole := e.bytes
	if err := Parse(whole, o); err != nil {
		panic("seal: made what cannot be read: " + err.Error())
	}
}

// encode writes the object's bytes, with its signatures as they are.
func encode(o Object) {
	c := &codec{writing: true, in: []byte{version, byte(o.kind()), suite >> 8, suite & 0xff}}
	o.fields(c)
	e := o.base()
	e.bytes, e.signatures, e.hashed = c.in, c.signatures, false
}

// Parse reads an object into o by the rules P1 to P10. It keeps no reference
// to what it read from.
func Parse(object []byte, o Object) error {
	kind := o.kind()
	if limit := kinds[kind].limit; len(object) > limit {
		return ErrTooLarge.Because("a %s has at most %d bytes, this one %d", kind, limit, len(object))
	}
	if len(object) < headerSize {
		return ErrBadLength.Because("an object has at least %d bytes, this one %d", headerSize, len(object))
	}
	if object[0] != version {
		return ErrBadVersion.Because("the version is %d, this one says %d", version, object[0])
	}
	if Kind(object[1]) != kind {
		return ErrBadKind.Because("a %s was expected, this is a %s", kind, Kind(object[1]))
	}
	if got := binary.BigEndian.Uint16(object[2:]); got != suite {
		return ErrBadSuite.Because("the suite is 0x%x, this one says 0x%x", suite, got)
	}
	c := &codec{in: bytes.Clone(object), at: headerSize, kind: kind}
	o.fields(c)
	if c.err != nil {
		return c.err
	}
	if c.at != len(c.in) {
		return ErrTrailing.Because("%d bytes follow the last field of the %s", len(c.in)-c.at, kind)
	}
	encode(o)
	if !bytes.Equal(o.base().bytes, object) {
		return ErrNotCanonical.Because("the %s has another encoding", kind)
	}
	e := o.base()
	e.hash, e.hashed = sha256.Sum256(e.bytes), true
	return nil
}

// codec reads fields from bytes or writes them, so that one description serves
// both. After a failure it reads zeros.
type codec struct {
	in         []byte // read from; when writing, appended to
	at         int
	kind       Kind
	writing    bool
	signatures []int
	err        error
}

func (c *codec) fail(refusal Refusal, format string, values ...any) {
	if c.err == nil && !c.writing {
		c.err = refusal.Because("the %s's "+format, append([]any{c.kind}, values...)...)
	}
}

// take gives the next n bytes, or nil after a failure.
func (c *codec) take(name string, n int) []byte {
	if c.err != nil {
		return nil
	}
	if left := len(c.in) - c.at; n > left {
		c.fail(ErrBadLength, "%s needs %d bytes, %d are left", name, n, left)
		return nil
	}
	c.at += n
	return c.in[c.at-n : c.at]
}

// fixed reads or writes exactly len(field) bytes.
func (c *codec) fixed(name string, field []byte) {
	if c.writing {
		c.in = append(c.in, field...)
		return
	}
	copy(field, c.take(name, len(field)))
}

// unsigned reads or writes an integer of n bytes.
func (c *codec) unsigned(name string, n int, value uint64) uint64 {
	if c.writing {
		c.in = append(c.in, binary.BigEndian.AppendUint64(nil, value)[8-n:]...)
		return value
	}
	value = 0
	for _, b := range c.take(name, n) {
		value = value<<8 | uint64(b)
	}
	if n == 8 && value > maxInteger {
		c.fail(ErrBadInteger, "%s is above 2^53-1", name)
		return 0
	}
	return value
}

func (c *codec) u8(name string, field *byte) {
	*field = byte(c.unsigned(name, 1, uint64(*field))) //nolint:gosec // one byte
}

func (c *codec) u16(name string, field *uint16) {
	*field = uint16(c.unsigned(name, 2, uint64(*field))) //nolint:gosec // two bytes
}

func (c *codec) u32(name string, field *uint32) {
	*field = uint32(c.unsigned(name, 4, uint64(*field))) //nolint:gosec // four bytes
}

func (c *codec) u64(name string, field *uint64) { *field = c.unsigned(name, 8, *field) }

// among is u8 with a value from low to high.
func (c *codec) among(name string, field *byte, low, high byte) {
	c.u8(name, field)
	if *field < low || *field > high {
		c.fail(ErrBadValue, "%s is %d to %d, not %d", name, low, high, *field)
	}
}

func (c *codec) flag(name string, field *bool) {
	var value byte
	if *field {
		value = 1
	}
	c.among(name, &value, 0, 1)
	*field = value == 1
}

// require refuses by P9 what the values of section 4 do not allow.
func (c *codec) require(ok bool, what string) {
	if !ok {
		c.fail(ErrBadValue, "%s", what)
	}
}

// variable reads or writes bytes after a length of n bytes that lies from low
// to high.
func (c *codec) variable(name string, n, low, high int, field *[]byte) {
	length := c.unsigned(name, n, uint64(len(*field)))
	if c.writing {
		c.in = append(c.in, *field...)
		return
	}
	if length < uint64(low) || length > uint64(high) { //nolint:gosec // constants
		c.fail(ErrBadLength, "%s has %d to %d bytes, not %d", name, low, high, length)
		return
	}
	*field = bytes.Clone(c.take(name, int(length))) //nolint:gosec // at most high
}

const maxName = 64

// name reads or writes a text of at most 64 bytes after its length.
func (c *codec) name(name string, field *string) {
	raw := []byte(*field)
	c.variable(name, 1, 0, 255, &raw)
	if c.writing || c.err != nil {
		return
	}
	*field = string(raw)
	if problem := CheckName(*field); problem != "" {
		c.fail(ErrBadText, "%s %s", name, problem)
	}
}

// CheckName says what keeps a text from being a name in a certificate or
// policy (P8), or nothing.
func CheckName(text string) string {
	switch {
	case len(text) > maxName:
		return fmt.Sprintf("has at most %d bytes, this one %d", maxName, len(text))
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.ContainsFunc(text, unfit):
		return "has a control character or one that changes the direction of text"
	}
	return ""
}

func unfit(r rune) bool {
	return r < 0x20 || 0x7f <= r && r <= 0x9f || r == 0x61c || r == 0x200e || r == 0x200f ||
		r == 0x2028 || r == 0x2029 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}

// signature reads or writes a signature and remembers where it begins.
func (c *codec) signature(field *[64]byte) {
	if c.writing {
		c.signatures = append(c.signatures, len(c.in))
	} else {
		c.signatures = append(c.signatures, c.at)
	}
	c.fixed("signature", field[:])
}

// list reads or writes a list with a count of n bytes whose items have at
// least size bytes, so that a count that cannot be true takes no memory.
func list[T any](c *codec, name string, n, size int, items *[]T, item func(*T)) {
	count := c.unsigned(name, n, uint64(len(*items)))
	if !c.writing {
		if left := len(c.in) - c.at; c.err == nil && count*uint64(size) > uint64(left) { //nolint:gosec // small and positive
			c.fail(ErrBadLength, "%s has %d items of at least %d bytes, %d bytes are left", name, count, size, left)
		}
		if c.err != nil {
			*items = nil
			return
		}
		*items = make([]T, count)
	}
	for i := range *items {
		item(&(*items)[i])
	}
}
