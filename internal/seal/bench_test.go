package seal

import (
	"slices"
	"testing"
)

// take measures Append at a place of a real log; the fork that every round
// needs is small beside it.
func (s *story) take(b *testing.B, at int, live bool) {
	b.Helper()
	for b.Loop() {
		if _, err := s.before[at].fork().Append(s.entries[at], s.now, live); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	s := tell(b)
	s.take(b, len(s.entries)-1, true)
}

func BenchmarkAppendAccept(b *testing.B) {
	s := tell(b)
	at := slices.IndexFunc(s.entries, func(raw []byte) bool {
		e := new(Epoch)
		return Parse(raw, e) == nil && e.Reason == ReasonAccept
	})
	s.take(b, at, false)
}

func BenchmarkSeal(b *testing.B) {
	s := tell(b)
	opened, err := s.agent.current()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := opened.Seal(s.agent.Transcript, 2, s.ana.Sign, text("hola"), s.now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	s := tell(b)
	opened, err := s.agent.current()
	if err != nil {
		b.Fatal(err)
	}
	e := new(Event)
	if err := Parse(s.entries[len(s.entries)-1], e); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := opened.Read(e); err != nil {
			b.Fatal(err)
		}
	}
}

// An accept makes two wraps.
func BenchmarkAccept(b *testing.B) {
	w := newWorld(b)
	ana := w.person(20, nil)
	agent := w.talk().seat(ana.Keys, w.deptKeys)
	for b.Loop() {
		if _, _, err := agent.Accept(ana.keyObject.Hash(), w.now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenWrap(b *testing.B) {
	s := tell(b)
	last := s.agent.Epoch()
	for b.Loop() {
		if _, err := s.agent.Open(last.N, s.ana.Owner, s.ana.KEM, s.wraps); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParsePolicy(b *testing.B) {
	raw := newWorld(b).policy.Bytes()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if err := Parse(raw, new(Policy)); err != nil {
			b.Fatal(err)
		}
	}
}
