package seal

import (
	"encoding/binary"
	"unicode/utf8"
)

// MaxText is the longest text of a message, in bytes of UTF-8.
const MaxText = 8192

// Types of a payload (section 4.3).
const (
	TypeText     byte = 1
	TypeClose    byte = 2
	TypeEpochBad byte = 3
)

// Payload is what an event says once it is opened.
type Payload struct {
	Type   byte
	CID    [16]byte // drawn once for a message
	Text   string   // of a text: 1 to 8192 bytes
	Reason byte     // of a close: 1 solved, 2 left, 3 other
	N      uint32   // of an epoch bad
	Epoch  [32]byte // of an epoch bad: its hash
}

// class is the class that an event with this payload has.
func (p Payload) class() byte {
	return map[byte]byte{TypeText: ClassMessage, TypeClose: ClassClose, TypeEpochBad: ClassEpochBad}[p.Type]
}

const payloadHead = 1 + 16

func (p Payload) encode() []byte {
	out := append([]byte{p.Type}, p.CID[:]...)
	switch p.Type {
	case TypeText:
		return append(out, p.Text...)
	case TypeClose:
		return append(out, p.Reason)
	default:
		return append(binary.BigEndian.AppendUint32(out, p.N), p.Epoch[:]...)
	}
}

// parsePayload is V11 for an event's class.
func parsePayload(raw []byte, class byte) (Payload, error) {
	if len(raw) < payloadHead {
		return Payload{}, ErrBadPayload.Because("a payload has at least %d bytes, this one %d", payloadHead, len(raw))
	}
	p := Payload{Type: raw[0], CID: [16]byte(raw[1:payloadHead])}
	content := raw[payloadHead:]
	if p.class() == 0 || p.class() != class {
		return Payload{}, ErrBadPayload.Because("a payload of type %d does not belong to class %d", p.Type, class)
	}
	switch p.Type {
	case TypeText:
		if len(content) < 1 || len(content) > MaxText {
			return Payload{}, ErrBadPayload.Because("a text has 1 to %d bytes, this one %d", MaxText, len(content))
		}
		if !utf8.Valid(content) {
			return Payload{}, ErrBadPayload.Because("the text is not UTF-8")
		}
		p.Text = string(content)
	case TypeClose:
		if len(content) != 1 || content[0] < 1 || content[0] > 3 {
			return Payload{}, ErrBadPayload.Because("a close has one of the reasons 1 to 3")
		}
		p.Reason = content[0]
	case TypeEpochBad:
		if len(content) != 4+32 {
			return Payload{}, ErrBadPayload.Because("an epoch bad names a number and a hash")
		}
		p.N, p.Epoch = binary.BigEndian.Uint32(content), [32]byte(content[4:])
	}
	return p, nil
}
