package seal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// refused fails the test when err is no refusal by the rule.
func refused(t *testing.T, what string, err error, rule Refusal) {
	t.Helper()
	if !errors.Is(err, rule) {
		t.Errorf("[%s] %s: %v", rule.Rule, what, err)
	}
}

// [W6] [L5] X1: an epoch that did not open takes no word and makes no epoch, and
// one that follows and opens heals it.
func TestSeat_Locked(t *testing.T) {
	s := tell(t)
	transcript, err := NewTranscript(s.trust, s.entries[0], Expect{}, s.now, false)
	if err != nil {
		t.Fatal(err)
	}
	seat := NewSeat(transcript, s.ana.Keys, s.deptKeys)
	_, err = seat.Say(text("a"), s.now)
	refused(t, "saying something before the first epoch", err, ErrLocked)
	last := s.visitor.Epoch()
	withheld := slices.DeleteFunc(slices.Clone(s.wraps), func(raw []byte) bool { return slices.Contains(last.WrapHashes, hashOf(raw)) })
	for i, entry := range s.entries[1:] {
		line, err := seat.Take(entry, withheld, s.now, false)
		if err != nil {
			t.Fatal(err)
		}
		if i == len(s.entries)-2 {
			refused(t, "reading in a locked epoch", line.Hidden, ErrLocked)
		}
	}
	_, err = seat.Say(text("my card is 4111"), s.now)
	refused(t, "saying something", err, ErrLocked)
	_, _, err = seat.Change(ReasonRekey, nil, s.now)
	refused(t, "making an epoch", err, ErrLocked)
	_, _, err = seat.Accept(s.ana.keyObject.Hash(), s.now)
	refused(t, "accepting", err, ErrLocked)

	s.changes(s.visitor, ReasonRekey, nil)
	if line, err := seat.Take(s.entries[len(s.entries)-1], s.wraps, s.now, true); err != nil || line.Hidden != nil {
		t.Fatalf("the next epoch does not heal it: %v, %v", err, line.Hidden)
	}
	if _, err := seat.Say(text("a"), s.now); err != nil {
		t.Error(err)
	}
}

// [W6] [L1] A secret serves only the conversation, the epoch and the log that it
// is of, and not after it was erased.
func TestOpened_Misused(t *testing.T) {
	s, other := tell(t), tell(t)
	opened, err := s.agent.current()
	if err != nil {
		t.Fatal(err)
	}
	seal := func(transcript *Transcript) error {
		_, err := opened.Seal(transcript, 2, s.ana.Sign, text("a"), s.now)
		return err
	}
	if err := seal(s.visitor.Transcript); err != nil {
		t.Fatal(err)
	}
	refused(t, "sealing in another conversation", seal(other.visitor.Transcript), ErrLocked)
	start, err := NewTranscript(s.trust, s.entries[0], Expect{}, s.now, false)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "sealing while only the genesis is there", seal(start), ErrGap)
	refused(t, "sealing while the log ends before the epoch", seal(s.before[2]), ErrGap)
	e := new(Event)
	if err := Parse(s.entries[2], e); err != nil {
		t.Fatal(err)
	}
	_, err = opened.Read(e)
	refused(t, "reading an event of another epoch", err, ErrLocked)
	_, err = (&Opened{}).Read(e)
	refused(t, "reading without a secret", err, ErrLocked)
	_, err = (*Opened)(nil).Read(e)
	refused(t, "reading with nothing", err, ErrLocked)
	opened.Erase()
	refused(t, "sealing after the secret was erased", seal(s.visitor.Transcript), ErrLocked)
	for _, p := range []Payload{
		{},
		{Type: 9},
		{Type: TypeText},
		text(strings.Repeat("a", MaxText+1)), text("\xff"),
		{Type: TypeClose, Reason: 4},
		{Type: TypeMarks, Delivered: s.visitor.Seq() + 1},
		{Type: TypeMarks, Read: 1},
		{Type: TypeForm},
		{Type: TypeForm, Fields: []Field{{strings.Repeat("a", 257), FieldText, "x"}}},
		{Type: TypeForm, Fields: []Field{{"a", FieldText, strings.Repeat("a", 1<<16+1)}}},
	} {
		_, err := s.visitor.Say(p, s.now)
		refused(t, fmt.Sprintf("sealing a payload of type %d", p.Type), err, ErrBadPayload)
	}
	_, err = other.agent.Say(Payload{Type: TypeForm, Fields: []Field{{"a", FieldText, "x"}}}, s.now)
	refused(t, "an agent's form", err, ErrBadPayload)
	var full []Field
	for i := range MaxFields {
		full = append(full, Field{strings.Repeat("a", i+1), FieldText, strings.Repeat("a", MaxValue)})
	}
	_, err = s.visitor.Say(Payload{Type: TypeForm, Fields: full}, s.now)
	refused(t, "a form that no body holds", err, ErrPadding)
}

// [E27] A conversation has 2000 epochs, and the last 200 only remove. The log
// is made long by hand.
func TestAppend_LastEpochs(t *testing.T) {
	w := newWorld(t)
	k := w.talk()
	at := func(n int, edit func(*Epoch)) error {
		transcript := k.visitor.fork()
		for len(transcript.epochs) < n {
			transcript.epochs = append(transcript.epochs, k.visitor.Epoch())
		}
		raw := k.forge(func(e *Epoch) {
			e.N = uint32(n)
			edit(e)
		})
		_, err := transcript.Append(raw, w.now, true)
		return err
	}
	second := w.generation(61, 2, w.dept)
	if err := at(1799, plus(second.member(2))); err != nil {
		t.Errorf("epoch 1799 adds a member: %v", err)
	}
	refused(t, "epoch 1800 adds a member", at(1800, plus(second.member(2))), ErrEpochBudget)
	if err := at(1999, minus(1)); err != nil {
		t.Errorf("epoch 1999 removes a member: %v", err)
	}
	refused(t, "epoch 2000", at(2000, minus(1)), ErrEpochBudget)
}

// [E29] A time that is off is marked and not refused, and only while it is live.
func TestAppend_TimeUncertain(t *testing.T) {
	w := newWorld(t)
	k := w.talk()
	for _, c := range []struct {
		at   uint64
		live bool
		want bool
	}{
		{w.now + 10*Minute, true, false},
		{w.now + 10*Minute + 1000, true, true},
		{w.now - 10*Minute - 1000, true, true},
		{w.now - 10*Minute, true, false},
		{w.now + Day, false, false},
	} {
		event, err := k.visitor.fork().Append(k.event(k.visits(), func(e *Event) { e.Time = c.at }), w.now, c.live)
		if err != nil || event.TimeUncertain != c.want {
			t.Errorf("an event at %+d, live %t: marked %t, %v", int64(c.at)-int64(w.now), c.live, event.TimeUncertain, err)
		}
		epoch, err := k.visitor.fork().Append(k.forge(func(e *Epoch) { e.Time = c.at; minus(1)(e) }), w.now, c.live)
		if err != nil || epoch.TimeUncertain != c.want {
			t.Errorf("an epoch at %+d, live %t: marked %t, %v", int64(c.at)-int64(w.now), c.live, epoch.TimeUncertain, err)
		}
	}
}

// [S1] A session proof serves one challenge of one organisation, now.
func TestSession_S1(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	challenge := [32]byte{1}
	read := func(org, challenge [32]byte, keys Keys, at uint64) *Session {
		s := new(Session)
		if err := Parse(NewSession(org, challenge, keys, at), s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(s *Session) error { return s.Check(w.org, challenge, ana.certificate.SigKey, w.now) }
	if err := check(read(w.org, challenge, ana.Keys, w.now)); err != nil {
		t.Error(err)
	}
	refused(t, "another challenge", check(read(w.org, [32]byte{2}, ana.Keys, w.now)), ErrNoSession)
	refused(t, "another organisation", check(read([32]byte{2}, challenge, ana.Keys, w.now)), ErrNoSession)
	refused(t, "an old proof", check(read(w.org, challenge, ana.Keys, w.now-5*Minute)), ErrNoSession)
	refused(t, "a proof of later", check(read(w.org, challenge, ana.Keys, w.now+5*Minute)), ErrNoSession)
	forged := ana.Keys
	forged.Sign = w.enroller
	refused(t, "another's signature", check(read(w.org, challenge, forged, w.now)), ErrNoSession)
	moved := read(w.org, challenge, ana.Keys, w.now)
	moved.Owner[0] ^= 1
	encode(moved)
	refused(t, "another owner", check(moved), ErrNoSession)
}

// [L11] X7: a safety number is 132 bits of the roster's keys, so that no pair of
// inputs with the same number is at hand; a rekey keeps it, a newcomer changes it.
func TestSafetyNumber_OfRoster(t *testing.T) {
	s := tell(t)
	number := func(entry []byte) string {
		t.Helper()
		transcript := s.visitor.fork()
		if entry != nil {
			if _, err := transcript.Append(entry, s.now, true); err != nil {
				t.Fatal(err)
			}
		}
		n, err := transcript.SafetyNumber()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := number(nil)
	if digits := strings.ReplaceAll(before, " ", ""); len(digits) != 40 || strings.Trim(digits, "0123456789") != "" {
		t.Errorf("%q has no 40 digits", before)
	}
	own := s.keyFor(s.visitor.keys, s.now, s.now+Day)
	if n := number(s.forge(func(e *Epoch) { e.Members[0].KeyObject = own.Hash() })); n != before {
		t.Errorf("a rekey changes %q to %q", before, n)
	}
	if n := number(s.forge(minus(3))); n == before {
		t.Error("a member who leaves does not change it")
	}
	eva := s.person(91, nil)
	if n := number(s.forge(by(2, plus(eva.member(4))), s.ana.Sign)); n == before {
		t.Error("a newcomer does not change it")
	}
	start, err := NewTranscript(s.trust, s.entries[0], Expect{}, s.now, false)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := start.SafetyNumber(); err == nil {
		t.Errorf("a conversation without an epoch has %q", n)
	}
}
