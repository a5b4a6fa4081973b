// Package chat is the vocabulary that subjects share: ids, actors and kinds of
// errors. It does no I/O and imports nothing of ours.
package chat

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"
)

// idSize is 6 bytes of milliseconds since 1970 and 16 random bytes; idText is
// its length as text, of which the last character has 4 bits that are zero.
const (
	stampSize = 6
	idSize    = stampSize + 16
	idText    = 36
	lastMilli = 1<<(8*stampSize) - 1
)

// digits is Crockford's base 32 in lower case: it sorts as the bytes do, and
// has no letters that look like digits.
const digits = "0123456789abcdefghjkmnpqrstvwxyz"

var base32Text = base32.NewEncoding(digits).WithPadding(base32.NoPadding)

// Site, Department, Staff and Device name what an [ID] belongs to.
type (
	Site       struct{}
	Department struct{}
	Staff      struct{}
	Device     struct{}
)

type kind interface {
	Site | Department | Staff | Device
}

// ID names one thing of the kind K, so that ids of two kinds do not mix. Ids
// sort by the millisecond when they were made, as bytes and as text; within
// one millisecond their order is random. 128 random bits keep them from being
// guessed. The zero value is no id.
type ID[K kind] [idSize]byte

// The ids of today.
type (
	SiteID       = ID[Site]
	DepartmentID = ID[Department]
	StaffID      = ID[Staff]
	DeviceID     = ID[Device]
)

// NewID makes an id from the system's randomness. It panics at a time that
// [ReadID] refuses: then the machine's clock is wrong by centuries.
func NewID[K kind](now time.Time) ID[K] {
	id, err := ReadID[K](now, rand.Reader)
	if err != nil {
		panic("chat: " + err.Error())
	}
	return id
}

// ReadID makes an id from 16 bytes of a given source of randomness. Times
// before 1970 and after the year 10889 do not fit.
func ReadID[K kind](now time.Time, random io.Reader) (ID[K], error) {
	milli := now.UnixMilli()
	if milli < 0 || milli > lastMilli {
		return ID[K]{}, fmt.Errorf("make an id: the time %s is not between the years 1970 and 10889", now.UTC())
	}
	var id ID[K]
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(milli))
	copy(id[:], stamp[8-stampSize:])
	if _, err := io.ReadFull(random, id[stampSize:]); err != nil {
		return ID[K]{}, fmt.Errorf("make an id: read randomness: %w", err)
	}
	if id.IsZero() {
		return ID[K]{}, fmt.Errorf("make an id: the source of randomness gives zeros only")
	}
	return id, nil
}

// ParseID accepts what String gives and nothing else; the error is an [*Error]
// of KindInvalid.
func ParseID[K kind](text string) (ID[K], error) {
	var id ID[K]
	if len(text) != idText {
		return ID[K]{}, &Error{
			Kind: KindInvalid, Field: "id", Limit: idText,
			Message: fmt.Sprintf("an id has %d characters, this one has %d bytes", idText, len(text)),
		}
	}
	for i := range len(text) {
		if strings.IndexByte(digits, text[i]) < 0 {
			return ID[K]{}, Invalid("id", fmt.Sprintf("character %d of the id cannot be in one: it has digits and lower-case letters without i, l, o and u", i+1))
		}
	}
	if _, err := base32Text.Decode(id[:], []byte(text)); err != nil {
		return ID[K]{}, Invalid("id", "this text does not stand for an id").Because(err)
	}
	if id.String() != text {
		return ID[K]{}, Invalid("id", "the last character of an id is 0 or g: this one has bits that belong to nothing")
	}
	if id.IsZero() {
		return ID[K]{}, Invalid("id", "an id is not all zeros")
	}
	return id, nil
}

// IsZero reports whether id names nothing.
func (id ID[K]) IsZero() bool { return id == ID[K]{} }

// Compare orders ids as their bytes, for [slices.SortFunc].
func (id ID[K]) Compare(other ID[K]) int { return bytes.Compare(id[:], other[:]) }

// Time is when the id was made, to the millisecond.
func (id ID[K]) Time() time.Time {
	var stamp [8]byte
	copy(stamp[8-stampSize:], id[:stampSize])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(stamp[:]))) //nolint:gosec // 48 bits fit
}

// String is the id as 36 letters and digits.
func (id ID[K]) String() string { return base32Text.EncodeToString(id[:]) }

// MarshalText gives what String gives, and refuses the zero value.
func (id ID[K]) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, Invalid("id", "an id is missing here")
	}
	return []byte(id.String()), nil
}

// UnmarshalText is [ParseID]; id stays as it was when there is an error.
func (id *ID[K]) UnmarshalText(text []byte) error {
	read, err := ParseID[K](string(text))
	if err != nil {
		return err
	}
	*id = read
	return nil
}

// ConversationID is the SHA-256 of a conversation's genesis (protocol/SPEC.md,
// section 4.3). The zero value is no id.
type ConversationID [32]byte

// conversationText is the length of a ConversationID as text.
const conversationText = 43

// ParseConversationID accepts what String gives and nothing else; the error is
// an [*Error] of KindInvalid.
func ParseConversationID(text string) (ConversationID, error) {
	var id ConversationID
	if len(text) != conversationText {
		return ConversationID{}, &Error{
			Kind: KindInvalid, Field: "conversation", Limit: conversationText,
			Message: fmt.Sprintf("the id of a conversation has %d characters, this one has %d bytes", conversationText, len(text)),
		}
	}
	// The decoder skips line ends, and would accept spare bits without Strict;
	// the comparison refuses both.
	if _, err := base64.RawURLEncoding.Decode(id[:], []byte(text)); err != nil {
		return ConversationID{}, Invalid("conversation", "the id of a conversation has letters, digits, - and _ only").Because(err)
	}
	if id.String() != text {
		return ConversationID{}, Invalid("conversation", "this text is not the one way to write the id of a conversation")
	}
	if id.IsZero() {
		return ConversationID{}, Invalid("conversation", "the id of a conversation is not all zeros")
	}
	return id, nil
}

// IsZero reports whether id names nothing.
func (id ConversationID) IsZero() bool { return id == ConversationID{} }

// String is the id as 43 characters of base64url without padding (RFC 4648,
// section 5).
func (id ConversationID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// MarshalText gives what String gives, and refuses the zero value.
func (id ConversationID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, Invalid("conversation", "the id of a conversation is missing here")
	}
	return []byte(id.String()), nil
}

// UnmarshalText is [ParseConversationID]; id stays as it was when there is an
// error.
func (id *ConversationID) UnmarshalText(text []byte) error {
	read, err := ParseConversationID(string(text))
	if err != nil {
		return err
	}
	*id = read
	return nil
}
