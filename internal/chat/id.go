// Package chat is the vocabulary that subjects share: ids, actors and kinds of
// errors. It does no I/O and imports nothing of ours.
package chat

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// idSize is 6 bytes of milliseconds since 1970 and 16 random bytes; idText is
// its length as text.
const (
	idSize = 22
	idText = 36
)

// encoding is Crockford's base 32 in lower case: it sorts as the bytes do, and
// has no letters that look like digits.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Site, Department, Staff and Device name what an [ID] belongs to.
type (
	Site       struct{}
	Department struct{}
	Staff      struct{}
	Device     struct{}
)

// ID names one thing of the kind K, so that ids of two kinds do not mix. Ids
// sort by the time when they were made, as bytes and as text; 128 random bits
// keep them from being guessed. The zero value is no id.
type ID[K any] [idSize]byte

// NewID makes an id at a time before the year 10889, from the system's randomness.
func NewID[K any](now time.Time) ID[K] {
	id, err := ReadID[K](now, rand.Reader)
	if err != nil {
		panic("chat: crypto/rand does not fail: " + err.Error())
	}
	return id
}

// ReadID makes an id from a given source of randomness.
func ReadID[K any](now time.Time, random io.Reader) (ID[K], error) {
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(max(now.UnixMilli(), 0)))
	var id ID[K]
	copy(id[:6], stamp[2:])
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return ID[K]{}, fmt.Errorf("read randomness: %w", err)
	}
	return id, nil
}

// IsZero reports whether id names nothing.
func (id ID[K]) IsZero() bool { return id == ID[K]{} }

// Time is when the id was made, to the millisecond.
func (id ID[K]) Time() time.Time {
	var stamp [8]byte
	copy(stamp[2:], id[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(stamp[:]))) //nolint:gosec // 48 bits fit
}

// String is the id as 36 letters and digits.
func (id ID[K]) String() string { return encoding.EncodeToString(id[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (id ID[K]) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText accepts what String gives and nothing else.
func (id *ID[K]) UnmarshalText(text []byte) error {
	if len(text) != idText {
		return Invalid("id", fmt.Sprintf("an id has %d characters, this one %d", idText, len(text)))
	}
	var read ID[K]
	if _, err := encoding.Decode(read[:], text); err != nil {
		return Invalid("id", "an id has digits and lower-case letters without i, l, o and u")
	}
	if read.String() != string(text) || read.IsZero() {
		return Invalid("id", "this text is not one that stands for an id")
	}
	*id = read
	return nil
}
