package seal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

// draws gives the random source of a property test, which ALDABA_SEED repeats,
// and how many cases to draw, which ALDABA_ROUNDS sets.
func draws(t *testing.T) (*rand.Rand, int) {
	t.Helper()
	number := func(name string, otherwise uint64) uint64 {
		text, set := os.LookupEnv(name)
		if !set {
			return otherwise
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	seed := number("ALDABA_SEED", rand.Uint64())
	fmt.Printf("note: seed %d: %s\n", seed, t.Name())
	return rand.New(rand.NewPCG(seed, 0)), int(number("ALDABA_ROUNDS", 300))
}

// fork gives a copy that takes entries of its own.
func (t *Transcript) fork() *Transcript {
	other := *t
	other.log, other.epochs, other.epochSeq, other.acts = slices.Clone(t.log), slices.Clone(t.epochs), slices.Clone(t.epochSeq), slices.Clone(t.acts)
	other.leaves, other.hashes, other.messages = maps.Clone(t.leaves), maps.Clone(t.hashes), maps.Clone(t.messages)
	return &other
}

// story is a whole conversation, with the transcript before every entry.
type story struct {
	*talk
	ana, luis person
	agent     *Seat
	before    []*Transcript // by sequence; none before the genesis
}

// tell makes a conversation with every kind of entry: messages, an accept, a
// transfer, rekeys, a close and a reopening.
func tell(t testing.TB) *story {
	t.Helper()
	w := newWorld(t)
	s := &story{ana: w.person(20, nil), luis: w.person(40, nil)}
	s.talk = w.talk()
	s.says(s.visitor, text("hola"))
	s.agent = s.accept(s.ana)
	s.says(s.visitor, text("¿quién es?"))
	s.says(s.agent, text("Ana"))
	s.changes(s.agent, ReasonMembers, append(slices.Clone(s.agent.Epoch().Members), s.luis.member(3)))
	s.says(s.agent, text("llega Luis"))
	grant, err := s.agent.Give(3, 1, 1, s.now)
	s.takes(grant, nil, err)
	s.says(s.agent, Payload{Type: TypeMarks, Delivered: 5, Read: 4})
	s.changes(s.visitor, ReasonRekey, nil)
	s.says(s.visitor, text("gracias"))
	s.says(s.visitor, Payload{Type: TypeClose, Reason: 1})
	s.changes(s.agent, ReasonReopen, nil)
	s.says(s.agent, text("de nuevo"))
	transcript, err := NewTranscript(w.trust, s.entries[0], Expect{}, w.now, false)
	if err != nil {
		t.Fatal(err)
	}
	s.before = []*Transcript{nil}
	for _, entry := range s.entries[1:] {
		s.before = append(s.before, transcript.fork())
		if _, err := transcript.Append(entry, w.now, false); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *story) takes(entry []byte, wraps [][]byte, err error) {
	s.t.Helper()
	s.post(entry, wraps, err)
	if s.agent != nil {
		if _, err := s.agent.Take(entry, s.wraps, s.now, true); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *story) says(from *Seat, p Payload) {
	s.t.Helper()
	event, err := from.Say(p, s.now)
	s.takes(event, nil, err)
}

func (s *story) changes(from *Seat, reason byte, members []Member) {
	s.t.Helper()
	s.now += 2 * Minute
	epoch, wraps, err := from.Change(reason, members, s.now)
	s.takes(epoch, wraps, err)
}

// place draws a sequence after the genesis.
func (s *story) place(r *rand.Rand) int { return 1 + r.IntN(len(s.entries)-1) }

// refuses fails the test when an entry is taken at a place, or leaves a trace.
func (s *story) refuses(t *testing.T, what string, at int, entry []byte) {
	t.Helper()
	transcript := s.before[at].fork()
	was := transcript.state()
	if _, err := transcript.Append(entry, s.now, false); err == nil {
		t.Errorf("%s is taken as entry %d: %x", what, at, entry)
	} else if refusal := (Refusal{}); !errors.As(err, &refusal) {
		t.Errorf("%s: no refusal: %v", what, err)
	}
	if transcript.state() != was {
		t.Errorf("%s changed the transcript", what)
	}
}

// [E3] [E4] [E6] [E22] [V2] [V5] [V6] [V7] A server can neither move, repeat, drop nor change anything.
func TestLog_NothingMoves(t *testing.T) {
	r, rounds := draws(t)
	s, other := tell(t), tell(t)
	for range rounds {
		at, from := s.place(r), s.place(r)
		entry := s.entries[at]
		switch r.IntN(6) {
		case 0:
			flipped := bytes.Clone(entry)
			flipped[r.IntN(len(flipped))] ^= 1 << r.IntN(8)
			s.refuses(t, "a bit flip", at, flipped)
		case 1:
			s.refuses(t, "a truncation", at, entry[:r.IntN(len(entry))])
		case 2:
			s.refuses(t, "an extension", at, append(bytes.Clone(entry), make([]byte, 1+r.IntN(40))...))
		case 3:
			if from != at {
				s.refuses(t, fmt.Sprintf("entry %d", from), at, s.entries[from])
			}
		case 4:
			s.refuses(t, "another conversation's entry", at, other.entries[from])
		case 5:
			// A part of one entry in the place of the same part of another.
			donor := s.entries[from]
			i := r.IntN(min(len(entry), len(donor)))
			n := 1 + r.IntN(min(len(entry), len(donor))-i)
			spliced := bytes.Clone(entry)
			copy(spliced[i:i+n], donor[i:i+n])
			if !bytes.Equal(spliced, entry) {
				s.refuses(t, "a splice", at, spliced)
			}
		}
	}
}

// [V8] A member cannot pass another's words, nor its own of another time, off
// as said here: what it signs anew is taken but opens for nobody.
func TestEvent_NothingMovesBetweenEpochs(t *testing.T) {
	r, rounds := draws(t)
	s, other := tell(t), tell(t)
	words := func(k *story) (all []*Event) {
		for _, entry := range k.entries {
			e := new(Event)
			if Parse(entry, e) == nil && e.Class == ClassMessage {
				all = append(all, e)
			}
		}
		return all
	}
	here, there := words(s), words(other)
	opened, err := s.agent.current()
	if err != nil {
		t.Fatal(err)
	}
	last := s.visitor.Epoch()
	for range rounds {
		e := *here[r.IntN(len(here))]
		if r.IntN(2) == 0 {
			e = *there[r.IntN(len(there))]
		}
		e.N, e.Leaf, e.SeenSeq, e.SeenLog = last.N, 2, s.visitor.Seq(), s.visitor.Log()
		if r.IntN(2) == 0 {
			e.MessageID[r.IntN(16)] ^= 1 << r.IntN(8)
		}
		Sign(&e, s.org, s.prefix(last.N), s.ana.Sign)
		step, err := s.visitor.fork().Append(e.Bytes(), s.now, true)
		if errors.Is(err, ErrDuplicateEvent) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if p, err := opened.Read(step.Event); !errors.Is(err, ErrDecrypt) {
			t.Fatalf("a moved body reads %+v, %v", p, err)
		}
	}
}

// [E8] [E9] [E10] [E11] [E12] [E13] [E14] Whatever a member writes into a roster:
// what is taken has one visitor with its own key, and everybody's own keys.
func TestEpoch_NoForgedRoster(t *testing.T) {
	r, rounds := draws(t)
	s := tell(t)
	leaves := s.visitor.Epoch().Members
	bot := s.person(90, func(x *Certificate) { x.Kind, x.Departments = Bot, nil })
	eva := s.person(91, func(x *Certificate) { x.Kind = Supervisor })
	spare := []*KeyObject{
		s.keyFor(s.ana.Keys, s.now, s.now+Day), s.keyFor(s.luis.Keys, s.now-3*Minute, s.now+Day), s.keyFor(s.visitor.keys, s.now, s.now+Day),
	}
	pool := append(slices.Clone(leaves), bot.member(4), eva.member(5), s.deptMember(6))
	taken := 0
	for range rounds {
		e := s.next()
		e.Reason, e.Author = ReasonMembers, 2
		for range 1 + r.IntN(3) {
			i := r.IntN(len(e.Members))
			switch r.IntN(7) {
			case 0:
				e.Members[i].KeyObject = pool[r.IntN(len(pool))].KeyObject
			case 1:
				e.Members[i].KeyObject = spare[r.IntN(len(spare))].Hash()
			case 2:
				e.Members[i].Certificate = pool[r.IntN(len(pool))].Certificate
			case 3:
				e.Members[i].Role = Role(1 + r.IntN(8))
			case 4:
				e.Members[i].Leaf = uint16(r.IntN(8))
			case 5:
				e.Members = append(e.Members, pool[r.IntN(len(pool))])
			case 6:
				if len(e.Members) > 1 {
					e.Members = slices.Delete(e.Members, i, i+1)
				}
			}
		}
		e.WrapHashes = make([][32]byte, len(e.Members))
		Sign(e, s.org, nil, s.ana.Sign)
		if _, err := s.visitor.fork().Append(e.Bytes(), s.now, true); err != nil {
			// Without the author's signature, the same roster is refused too.
			continue
		}
		taken++
		if e.Members[0] != leaves[0] {
			t.Fatalf("an agent changed the visitor: %+v", e.Members[0])
		}
		seen := map[[32]byte]bool{}
		for _, m := range e.Members {
			k := s.trust.KeyObject(m.KeyObject)
			if k.Owner != m.Certificate || seen[m.Certificate] {
				t.Fatalf("leaf %d has another's key object, or stands twice: %+v", m.Leaf, e.Members)
			}
			seen[m.Certificate] = true
			if was := s.visitor.leaves[m.Leaf]; was != ([32]byte{}) && was != m.Certificate {
				t.Fatalf("leaf %d changed its owner", m.Leaf)
			}
			if m.Role == Bot {
				t.Fatal("an agent let a bot in")
			}
		}
		// A server cannot change the roster that somebody signed.
		forged := *e
		forged.Members = slices.Clone(e.Members)
		forged.Members[r.IntN(len(e.Members))].KeyObject = spare[r.IntN(len(spare))].Hash()
		if slices.Equal(forged.Members, e.Members) {
			continue
		}
		if _, err := s.visitor.fork().Append(plain(&forged), s.now, true); err == nil {
			t.Fatal("a roster is taken that nobody signed")
		}
	}
	if rounds >= 300 && taken == 0 {
		t.Error("no roster was taken: the test proves nothing")
	}
}

// [W2] [W3] [W6] [L5] X1: whichever wraps are missing, changed or mixed up, an
// epoch opens with its secret or not at all, and then nothing is sealed.
func TestOpen_NoWrapNoWord(t *testing.T) {
	r, rounds := draws(t)
	s, other := tell(t), tell(t)
	transcript := s.visitor.Transcript
	last := transcript.Epoch()
	mine := last.WrapHashes[slices.IndexFunc(last.Members, func(m Member) bool { return m.Leaf == 2 })]
	for range rounds {
		var wraps [][]byte
		whole := false
		for _, raw := range append(slices.Clone(s.wraps), other.wraps[r.IntN(len(other.wraps))]) {
			switch r.IntN(4) {
			case 0:
				raw = bytes.Clone(raw)
				raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
			case 1:
				continue
			case 2:
				raw = raw[:r.IntN(len(raw))]
			}
			whole = whole || hashOf(raw) == mine
			wraps = append(wraps, raw)
		}
		r.Shuffle(len(wraps), func(i, j int) { wraps[i], wraps[j] = wraps[j], wraps[i] })
		opened, err := transcript.Open(last.N, s.ana.Owner, s.ana.KEM, wraps)
		if whole != (err == nil) {
			t.Fatalf("the wrap is there: %t; opened: %v", whole, err)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, ErrWrapMissing) && !errors.Is(err, ErrWrapHash) {
			t.Fatal(err)
		}
		if _, err := opened.Seal(transcript, 2, s.ana.Sign, text("my card is 4111"), s.now); !errors.Is(err, ErrLocked) {
			t.Fatalf("a locked epoch seals: %v", err)
		}
	}
}

// [P5] [P10] Whatever comes, parsing gives an object with the same bytes or a refusal.
func TestParse_AnyBytes(t *testing.T) {
	r, rounds := draws(t)
	s := tell(t)
	genuine := slices.Concat(s.objects, s.entries, s.wraps)
	for range rounds {
		raw := bytes.Clone(genuine[r.IntN(len(genuine))])
		for range 1 + r.IntN(4) {
			raw[r.IntN(len(raw))] = byte(r.Uint32())
		}
		if r.IntN(3) == 0 {
			raw = raw[:r.IntN(len(raw))]
		}
		parses(t, KindOf(raw), raw)
	}
}
