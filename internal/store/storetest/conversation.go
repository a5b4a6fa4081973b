package storetest

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/conversation"
)

// ConversationStore is a driver's store for [Conversations].
type ConversationStore interface {
	conversation.Store
	io.Closer
}

// Conversations is the contract of [conversation.Store].
func Conversations[S ConversationStore](t *testing.T, open Open[S]) {
	t.Run("what was answered is there", func(t *testing.T) { keepsConversations(t, open) })
	t.Run("a refused append leaves nothing, whatever of it was written before", func(t *testing.T) { refusesRecords(t, open) })
	t.Run("who waits longest comes first, and a close begins anew", func(t *testing.T) { listsConversations(t, open) })
	t.Run("a full person takes no more, however many ask at once", func(t *testing.T) { keepsRoom(t, open) })
}

func message(n uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 10), n)
}

// record makes the given entry of a conversation, without a message.
func record(conv [32]byte, seq uint64) conversation.Record {
	object := fmt.Appendf(nil, "%x entry %d", conv[:4], seq)
	return conversation.Record{
		Conv:  conv,
		Dept:  [16]byte{1},
		Entry: conversation.Entry{Seq: seq, Object: object, Hash: sha256.Sum256(object), Log: id(seq, 99), At: 1000 + int64(seq)}, //nolint:gosec // tests count to few
		State: conversation.Waiting, Members: [][32]byte{conv},
	}
}

func keepsConversations[S ConversationStore](t *testing.T, open Open[S]) {
	folder := t.TempDir()
	s := open(t, folder)
	ctx := t.Context()
	a, b := id(1), id(2)
	agent := id(3)

	first := record(a, 0)
	first.Wraps = []conversation.Wrap{{To: id(7), Object: []byte("wrap of the visitor")}}
	second := record(a, 1)
	second.Message, second.State = message(1), conversation.Taken
	second.Members = [][32]byte{a, agent}
	second.Wraps = []conversation.Wrap{{To: id(8), Object: []byte("second")}, {To: id(7), Object: []byte("third")}}
	must(t, s.Append(ctx, first, second))
	other := record(b, 0)
	other.Entry.At, other.Site = 5000, "bank"
	other.Members = nil
	must(t, s.Append(ctx, other))

	check := func(s S) {
		t.Helper()
		entries, err := s.Entries(ctx, a, 0, 10)
		must(t, err)
		equal(t, "entries", entries, []conversation.Entry{first.Entry, second.Entry})
		entries, err = s.Entries(ctx, a, 1, 10)
		must(t, err)
		equal(t, "entries from 1", entries, []conversation.Entry{second.Entry})
		entries, err = s.Entries(ctx, a, 0, 1)
		must(t, err)
		equal(t, "one entry", entries, []conversation.Entry{first.Entry})
		entries, err = s.Entries(ctx, a, 1<<63, 10)
		must(t, err)
		equal(t, "entries past the end", len(entries), 0)

		e, err := s.ByHash(ctx, a, second.Entry.Hash)
		must(t, err)
		equal(t, "by hash", e, second.Entry)
		if _, err := s.ByHash(ctx, b, second.Entry.Hash); !errors.Is(err, conversation.ErrNotFound) {
			t.Errorf("the hash of another conversation: got %v", err)
		}

		listedA := conversation.Listed{Conv: a, Dept: [16]byte{1}, State: conversation.Taken, Seq: 1, At: 1001, Since: 1000, Members: [][32]byte{a, agent}}
		l, err := s.Conversation(ctx, a)
		must(t, err)
		equal(t, "conversation", l, listedA)
		if _, err := s.Conversation(ctx, id(9)); !errors.Is(err, conversation.ErrNotFound) {
			t.Errorf("an unknown conversation: got %v", err)
		}
		wraps, err := s.Wraps(ctx, a, [][32]byte{id(7), id(8), id(7)})
		must(t, err)
		equal(t, "wraps", wraps, [][]byte{[]byte("wrap of the visitor"), []byte("second"), []byte("third")})
		wraps, err = s.Wraps(ctx, b, [][32]byte{id(7)})
		must(t, err)
		equal(t, "wraps of another conversation", len(wraps), 0)
	}
	check(s)
	must(t, s.Close())
	check(open(t, folder))
}

func refusesRecords[S ConversationStore](t *testing.T, open Open[S]) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	a, b := id(1), id(2)
	second := record(a, 1)
	second.Message = message(1)
	must(t, s.Append(ctx, record(a, 0), second))
	before, err := s.Conversation(ctx, a)
	must(t, err)

	next := func(change func(*conversation.Record)) conversation.Record {
		r := record(a, 2)
		r.State, r.Members = conversation.Closed, [][32]byte{id(3)}
		r.Wraps = []conversation.Wrap{{To: id(7), Object: []byte("wrap")}}
		change(&r)
		return r
	}
	for _, c := range []struct {
		name   string
		record conversation.Record
		want   string // of the error; "" for ErrTaken
	}{
		{"a sequence that is there", next(func(r *conversation.Record) { r.Entry.Seq = 1 }), ""},
		{"a beginning that is there", next(func(r *conversation.Record) { r.Entry.Seq = 0 }), ""},
		{"a hash that is there", next(func(r *conversation.Record) { r.Entry.Hash = second.Entry.Hash }), ""},
		{"a message that is there", next(func(r *conversation.Record) { r.Message = message(1) }), ""},
		{"a gap", next(func(r *conversation.Record) { r.Entry.Seq = 3 }), "seq is 3 and must be 2"},
		{"no beginning", next(func(r *conversation.Record) { r.Conv, r.Entry.Seq = id(9), 1 }), "it must be 0"},
		{"a state", next(func(r *conversation.Record) { r.State = 4 }), "state 4"},
		{"a large sequence", next(func(r *conversation.Record) { r.Entry.Seq = 1 << 63 }), "is above"},
		{"no object", next(func(r *conversation.Record) { r.Entry.Object = nil }), "object is empty"},
		{"a short message", next(func(r *conversation.Record) { r.Message = make([]byte, 17) }), "17 bytes, not 18"},
		{"an empty wrap", next(func(r *conversation.Record) { r.Wraps[0].Object = nil }), "wrap 0"},
		{"a seat twice", next(func(r *conversation.Record) { r.Seats = [][16]byte{{1}, {1}} }), "seat 1 is there twice"},
		{"a member twice", next(func(r *conversation.Record) { r.Members = [][32]byte{a, a} }), "member 1 is there twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The first record would be right; it goes with the second.
			err := s.Append(ctx, record(b, 0), c.record)
			if c.want == "" && !errors.Is(err, conversation.ErrTaken) || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.want != "" && errors.Is(err, conversation.ErrTaken) {
				t.Errorf("got ErrTaken, want %q", c.want)
			}
			after, err := s.Conversation(ctx, a)
			must(t, err)
			equal(t, "conversation", after, before)
			wraps, err := s.Wraps(ctx, a, [][32]byte{id(7)})
			must(t, err)
			equal(t, "wraps", len(wraps), 0)
			if _, err := s.Conversation(ctx, b); !errors.Is(err, conversation.ErrNotFound) {
				t.Errorf("the record before it stayed: %v", err)
			}
		})
	}
	if err := s.Append(ctx); err == nil {
		t.Error("an append of nothing was taken")
	}
	must(t, s.Append(ctx, record(a, 2)))
}

func listsConversations[S ConversationStore](t *testing.T, open Open[S]) {
	ctx := t.Context()
	folder := t.TempDir()
	s := open(t, folder)
	ana, luis := [16]byte{0xa}, [16]byte{0x1}
	clock := int64(0)
	// put appends to a conversation of department 1 or 2, one moment after the other.
	seqs := map[[32]byte]uint64{}
	put := func(conv [32]byte, state conversation.State, change func(*conversation.Record)) {
		t.Helper()
		clock++
		r := record(conv, seqs[conv])
		seqs[conv]++
		r.State, r.Entry.At = state, clock
		if change != nil {
			change(&r)
		}
		must(t, s.Append(ctx, r))
	}
	seats := func(subjects ...[16]byte) func(*conversation.Record) {
		return func(r *conversation.Record) { r.Seats = subjects }
	}
	// Only an event has a message, and only another kind changes who answers.
	says := func(r *conversation.Record) { r.Message = message(r.Entry.Seq) }
	names := func(list []conversation.Listed, err error) (all [][32]byte) {
		t.Helper()
		must(t, err)
		for _, l := range list {
			all = append(all, l.Conv)
		}
		return all
	}
	convs := make([][32]byte, 6)
	for i := range convs {
		convs[i] = id(uint64(i))
		put(convs[i], conversation.Waiting, nil)
	}
	elsewhere := id(50)
	put(elsewhere, conversation.Waiting, func(r *conversation.Record) { r.Dept = [16]byte{2} })
	put(convs[0], conversation.Waiting, says) // to write again costs no place

	check := func(what string, dept byte, waiting, taken [][32]byte) {
		t.Helper()
		d := [16]byte{dept}
		equal(t, what+": waiting", names(s.OfDepartment(ctx, d, conversation.Waiting, 10)), waiting)
		equal(t, what+": taken", names(s.OfDepartment(ctx, d, conversation.Taken, 10)), taken)
		n, oldest, err := s.Line(ctx, d)
		must(t, err)
		equal(t, what+": length of the line", n, len(waiting))
		for i, conv := range waiting {
			l, err := s.Conversation(ctx, conv)
			must(t, err)
			if i == 0 {
				equal(t, what+": since when the first waits", oldest, l.Since)
			}
			ahead, err := s.Ahead(ctx, l)
			must(t, err)
			equal(t, what+": how many are ahead", ahead, i)
		}
	}
	of := func(what string, subject [16]byte, open, closed [][32]byte) {
		t.Helper()
		equal(t, what+": open", names(s.OfPerson(ctx, subject, false, 10)), open)
		equal(t, what+": closed", names(s.OfPerson(ctx, subject, true, 10)), closed)
		inDept, inAll, err := s.Load(ctx, subject, [16]byte{1})
		must(t, err)
		equal(t, what+": load", inAll, len(open))
		equal(t, what+": load of the department", inDept, len(open)-len(slices.DeleteFunc(slices.Clone(open), func(c [32]byte) bool { return c != elsewhere })))
	}

	answered := func(want bool) {
		t.Helper()
		got, err := s.Answered(ctx)
		must(t, err)
		equal(t, "whether anybody was answered", got, want)
	}
	answered(false)
	check("at first", 1, convs, nil)
	check("at first elsewhere", 2, [][32]byte{elsewhere}, nil)
	if _, oldest, err := s.Line(ctx, [16]byte{3}); err != nil || oldest != 0 {
		t.Errorf("a line that nobody stands in: %d, %v", oldest, err)
	}
	if _, err := s.OfDepartment(ctx, [16]byte{1}, conversation.Closed, 10); err == nil {
		t.Error("a department lists what is closed")
	}
	equal(t, "at most two", names(s.OfDepartment(ctx, [16]byte{1}, conversation.Waiting, 2)), convs[:2])

	put(convs[0], conversation.Taken, seats(ana))
	put(convs[1], conversation.Taken, seats(ana, luis))
	put(elsewhere, conversation.Taken, func(r *conversation.Record) { r.Dept, r.Seats = [16]byte{2}, [][16]byte{ana} })
	put(convs[0], conversation.Taken, says) // an event names no seats and takes none
	check("two taken", 1, convs[2:], convs[:2])
	of("ana", ana, [][32]byte{convs[0], elsewhere, convs[1]}, nil)
	of("luis", luis, [][32]byte{convs[1]}, nil)
	of("a stranger", [16]byte{9}, nil, nil)

	put(convs[1], conversation.Closed, says)
	put(convs[0], conversation.Closed, says)
	put(convs[1], conversation.Closed, nil) // no rule of the store: a close stays
	of("ana after the closes", ana, [][32]byte{elsewhere}, [][32]byte{convs[1], convs[0]})
	check("two closed", 1, convs[2:], nil)
	answered(true)
	equal(t, "at most one closed", len(names(s.OfPerson(ctx, ana, true, 1))), 1)

	// Again: behind those who waited meanwhile.
	put(convs[0], conversation.Waiting, nil)
	check("opened again", 1, append(slices.Clone(convs[2:]), convs[0]), nil)
	of("ana gave up her seat", ana, [][32]byte{elsewhere}, [][32]byte{convs[1]})
	put(convs[1], conversation.Taken, seats(luis))
	of("luis alone", luis, [][32]byte{convs[1]}, nil)
	of("ana without", ana, [][32]byte{elsewhere}, nil)

	must(t, s.Close())
	s = open(t, folder)
	check("after a restart", 1, append(slices.Clone(convs[2:]), convs[0]), [][32]byte{convs[1]})
	of("luis after a restart", luis, [][32]byte{convs[1]}, nil)
}

func keepsRoom[S ConversationStore](t *testing.T, open Open[S]) {
	ctx := t.Context()
	s := open(t, t.TempDir())
	const there, room = 12, 4
	ana := [16]byte{0xa}
	accept := func(conv [32]byte, inDept, inAll int) error {
		r := record(conv, 1)
		r.State, r.Seats = conversation.Taken, [][16]byte{ana}
		r.Room = &conversation.Room{Subject: ana, InDept: inDept, InAll: inAll}
		return s.Append(ctx, r)
	}
	for i := range uint64(there) {
		must(t, s.Append(ctx, record(id(i), 0)))
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for i := range uint64(there) {
		all.Go(func() {
			err := accept(id(i), room, 50)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				taken++
			} else if !errors.Is(err, conversation.ErrFull) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "taken", taken, room)
	_, inAll, err := s.Load(ctx, ana, [16]byte{1})
	must(t, err)
	equal(t, "load", inAll, room)
	waiting, err := s.OfDepartment(ctx, [16]byte{1}, conversation.Waiting, 100)
	must(t, err)
	equal(t, "still waiting", len(waiting), there-room)

	free := waiting[0].Conv
	if err := accept(free, 50, room); !errors.Is(err, conversation.ErrFull) {
		t.Errorf("over the person's own cap: %v", err)
	}
	// The same person's second device comes into a conversation that she has: it
	// is not one more.
	mine, err := s.OfPerson(ctx, ana, false, 1)
	must(t, err)
	second := record(mine[0].Conv, 2)
	second.State, second.Seats = conversation.Taken, [][16]byte{ana}
	second.Room = &conversation.Room{Subject: ana, InDept: room, InAll: room}
	must(t, s.Append(ctx, second))

	closing := record(mine[0].Conv, 3)
	closing.State, closing.Message = conversation.Closed, message(1)
	must(t, s.Append(ctx, closing))
	must(t, accept(free, room, room))
}
