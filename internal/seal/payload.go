package seal

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// Limits of a payload: the longest text of a message and the longest value of a
// form, in bytes of UTF-8, and how many fields a form has.
const (
	MaxText   = 8192
	MaxValue  = 1024
	MaxFields = 16
)

// Types of a payload (section 4.3).
const (
	TypeText     byte = 1
	TypeClose    byte = 2
	TypeEpochBad byte = 3
	TypeMarks    byte = 4
	TypeForm     byte = 5
)

// Kinds of a form's field.
const (
	FieldText     byte = 1
	FieldMail     byte = 2
	FieldPhone    byte = 3
	FieldChoice   byte = 4
	FieldPage     byte = 5
	FieldLanguage byte = 6
)

// Field is one line of a form.
type Field struct {
	Name  string // 1 to 64 bytes, as P8 allows
	Kind  byte
	Value string // at most 1024 bytes
}

// Payload is what an event says once it is opened.
type Payload struct {
	Type      byte
	CID       [16]byte // drawn once for a message
	Text      string   // of a text: 1 to 8192 bytes
	Reason    byte     // of a close: 1 solved, 2 left, 3 other
	N         uint32   // of an epoch bad
	Epoch     [32]byte // of an epoch bad: its hash
	Delivered uint64   // of marks: up to which sequence the sender has received the log
	Read      uint64   // of marks: up to which it was read
	Fields    []Field  // of a form: 1 to 16
}

// types says which class a type of payload has, and which roles may say it
// where the class leaves more (V3).
var types = map[byte]struct {
	class byte
	roles []Role
}{
	TypeText:     {ClassMessage, nil},
	TypeClose:    {ClassClose, nil},
	TypeEpochBad: {ClassEpochBad, nil},
	TypeMarks:    {ClassControl, []Role{Visitor, Agent, Supervisor}},
	TypeForm:     {ClassMessage, []Role{Visitor}},
}

// class is the class that an event with this payload has.
func (p Payload) class() byte { return types[p.Type].class }

const payloadHead = 1 + 16

func (p Payload) encode() []byte {
	out := append([]byte{p.Type}, p.CID[:]...)
	switch p.Type {
	case TypeText:
		return append(out, p.Text...)
	case TypeClose:
		return append(out, p.Reason)
	case TypeMarks:
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(out, p.Delivered), p.Read)
	case TypeForm:
		out = append(out, byte(len(p.Fields))) //nolint:gosec // judged when it is read again, before it is sealed
		for _, f := range p.Fields {
			out = append(append(out, byte(len(f.Name))), f.Name...) //nolint:gosec // as above
			out = append(out, f.Kind)
			out = append(binary.BigEndian.AppendUint16(out, uint16(len(f.Value))), f.Value...) //nolint:gosec // as above
		}
		return out
	default:
		return append(binary.BigEndian.AppendUint32(out, p.N), p.Epoch[:]...)
	}
}

// speaker is what V11 asks of the event around a payload.
type speaker struct {
	class byte
	role  Role
	seen  uint64
}

// parsePayload is V11.
func parsePayload(raw []byte, by speaker) (Payload, error) {
	if len(raw) < payloadHead {
		return Payload{}, ErrBadPayload.Because("a payload has at least %d bytes, this one %d", payloadHead, len(raw))
	}
	p := Payload{Type: raw[0], CID: [16]byte(raw[1:payloadHead])}
	content := raw[payloadHead:]
	if p.class() == 0 || p.class() != by.class {
		return Payload{}, ErrBadPayload.Because("a payload of type %d does not belong to class %d", p.Type, by.class)
	}
	if roles := types[p.Type].roles; roles != nil && !slices.Contains(roles, by.role) {
		return Payload{}, ErrBadPayload.Because("a payload of type %d does not come from role %d", p.Type, by.role)
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
	case TypeMarks:
		if len(content) != 8+8 {
			return Payload{}, ErrBadPayload.Because("marks are two sequences")
		}
		p.Delivered, p.Read = binary.BigEndian.Uint64(content), binary.BigEndian.Uint64(content[8:])
		if p.Read > p.Delivered || p.Delivered > by.seen {
			return Payload{}, ErrBadPayload.Because("read %d, delivered %d and seen_seq %d do not ascend", p.Read, p.Delivered, by.seen)
		}
	case TypeForm:
		fields, err := parseFields(content)
		if err != nil {
			return Payload{}, err
		}
		p.Fields = fields
	}
	return p, nil
}

// parseFields reads a form, and refuses what would be written in other bytes.
func parseFields(content []byte) ([]Field, error) {
	c := &codec{in: content, kind: KindEvent}
	var fields []Field
	list(c, "fields", 1, 4, &fields, func(f *Field) {
		c.name("name", &f.Name)
		c.among("kind", &f.Kind, FieldText, FieldLanguage)
		var value []byte
		c.variable("value", 2, 0, MaxValue, &value)
		f.Value = string(value)
	})
	switch {
	case c.err != nil:
		return nil, ErrBadPayload.Because("the form: %v", c.err)
	case c.at != len(content):
		return nil, ErrBadPayload.Because("%d bytes follow the form", len(content)-c.at)
	case len(fields) < 1 || len(fields) > MaxFields:
		return nil, ErrBadPayload.Because("a form has 1 to %d fields, this one %d", MaxFields, len(fields))
	}
	for i, f := range fields {
		if f.Name == "" || slices.ContainsFunc(fields[:i], func(o Field) bool { return o.Name == f.Name }) {
			return nil, ErrBadPayload.Because("the name of field %d is empty, or stands twice", i)
		}
		if !utf8.ValidString(f.Value) {
			return nil, ErrBadPayload.Because("the value of field %d is not UTF-8", i)
		}
	}
	return fields, nil
}
