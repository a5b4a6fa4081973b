package seal

import (
	"bytes"
	"errors"
	"testing"
)

// parses reads bytes as a kind: an object with the same bytes, or a refusal.
func parses(t *testing.T, kind Kind, raw []byte) {
	t.Helper()
	o := object(kind)
	if o == nil {
		return
	}
	if err := Parse(raw, o); err != nil {
		if refusal := (Refusal{}); !errors.As(err, &refusal) || refusal.Rule[0] != 'P' {
			t.Errorf("no refusal by P: %v", err)
		}
		return
	}
	if !bytes.Equal(o.base().Bytes(), raw) || !bytes.Equal(plain(o), raw) {
		t.Errorf("[P10] a %s has another encoding: %x", kind, raw)
	}
	again := object(kind)
	if err := Parse(plain(o), again); err != nil {
		t.Errorf("a %s is not read again: %v", kind, err)
	}
}

// [P5] [P10] Nothing panics, and what is taken encodes to the same bytes.
func FuzzParse(f *testing.F) {
	s := tell(f)
	for _, all := range [][][]byte{s.objects, s.entries, s.wraps} {
		for _, o := range all {
			f.Add(byte(KindOf(o)), o)
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, raw []byte) {
		parses(t, Kind(kind), raw)
		parses(t, KindOf(raw), raw)
	})
}

// FuzzTranscript turns an entry of a real log into another one and puts it at
// some place: it is refused, unless it is the one that stood there. The log
// has new keys in each run, so an input says what to change: three bytes for
// each, where (two) and by which bits; what is not a multiple of three long
// cuts the entry.
func FuzzTranscript(f *testing.F) {
	s := tell(f)
	f.Add(byte(1), byte(1), []byte{0, 40, 1})
	f.Add(byte(2), byte(4), []byte{})
	f.Add(byte(5), byte(5), []byte{0, 8, 255, 0, 9, 255})
	f.Add(byte(3), byte(3), []byte{7})
	f.Fuzz(func(t *testing.T, at, from byte, edits []byte) {
		place := 1 + int(at)%(len(s.entries)-1)
		entry := bytes.Clone(s.entries[int(from)%len(s.entries)])
		for len(edits) >= 3 {
			entry[(int(edits[0])<<8|int(edits[1]))%len(entry)] ^= edits[2]
			edits = edits[3:]
		}
		if len(edits) > 0 {
			entry = entry[:int(edits[0])%len(entry)]
		}
		if bytes.Equal(entry, s.entries[place]) {
			if _, err := s.before[place].fork().Append(entry, s.now, false); err != nil {
				t.Errorf("entry %d is refused at its place: %v", place, err)
			}
			return
		}
		s.refuses(t, "a changed entry", place, entry)
	})
}

// [V11] No payload panics a reader, and what is taken encodes to the same bytes
// and is what its event may say.
func FuzzPayload(f *testing.F) {
	for _, p := range []Payload{
		text("hola"),
		{Type: TypeClose, Reason: 1},
		{Type: TypeEpochBad, N: 1},
		{Type: TypeMarks, Delivered: 2, Read: 1},
		{Type: TypeForm, Fields: []Field{{"nombre", FieldText, "Núñez"}, {"idioma", FieldLanguage, ""}}},
	} {
		f.Add(p.class(), Visitor, uint64(3), p.encode())
	}
	f.Fuzz(func(t *testing.T, class, role byte, seen uint64, raw []byte) {
		p, err := parsePayload(raw, speaker{class, role, seen})
		if err != nil {
			if !errors.Is(err, ErrBadPayload) {
				t.Errorf("no refusal by V11: %v", err)
			}
			return
		}
		if !bytes.Equal(p.encode(), raw) {
			t.Errorf("a payload of type %d has another encoding: %x", p.Type, raw)
		}
		if p.class() != class || p.Type == TypeForm && role != Visitor || p.Delivered > seen || p.Read > p.Delivered {
			t.Errorf("%+v is taken from role %d in class %d after %d", p, role, class, seen)
		}
	})
}

// An invitation that is read is the one that was written, whatever the text.
func FuzzInvitation(f *testing.F) {
	for _, inv := range []Invitation{{}, {1, 2, 3}, {0xff, 15: 0xff}} {
		f.Add(inv.String())
	}
	f.Add("")
	f.Add("OOOOO-IIIII-LLLLL-00000-11111-22222")
	f.Add("ſ")
	f.Fuzz(func(t *testing.T, written string) {
		inv, err := ParseInvitation(written)
		if err != nil {
			if !errors.Is(err, ErrInvitation) || inv != (Invitation{}) {
				t.Errorf("%v, %x", err, inv)
			}
			return
		}
		again, err := ParseInvitation(inv.String())
		if err != nil || again != inv || len(inv.String()) != 35 {
			t.Errorf("%q is read as %q: %v", written, inv, err)
		}
	})
}
