package assist

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// Line is something that was said in an assisted conversation, opened.
type Line struct {
	Dept    [16]byte
	Seq     uint64
	Time    uint64 // milliseconds since 1970, as its sender says
	From    seal.Member
	Payload seal.Payload
}

// Reader is whoever works with what the server may read: checks, search, bots.
// Lines of one conversation come in their order. After an error the same line
// comes again later, and after a crash lines may come twice: Seq tells.
type Reader interface {
	Read(ctx context.Context, conv [32]byte, line Line) error
}

// Log gives a member its part of a conversation: at most a page of entries from
// a sequence on, with the wraps, certificates and key objects that belong to
// them. It refuses who is no member as if there were no such conversation.
type Log interface {
	Entries(ctx context.Context, member, conv [32]byte, from uint64) (entries, extras [][]byte, err error)
}

// Store remembers how far was read.
type Store interface {
	// Next is the sequence that was not read yet, 0 when nothing was.
	Next(ctx context.Context, conv [32]byte) (uint64, error)
	// KeepNext moves it forward.
	KeepNext(ctx context.Context, conv [32]byte, next uint64) error
	// Behind gives conversations of a member, in order after one, that have more
	// entries than were read.
	Behind(ctx context.Context, member, after [32]byte, limit int) ([][32]byte, error)
}

const (
	seatsAtOnce = 256 // conversations in memory
	behindPage  = 500
	retryEvery  = 5 * time.Second
)

// Options are what a desk works with.
type Options struct {
	Member *Member
	Trust  func() *seal.Trust // nil before there is an organisation
	Log    Log
	Store  Store
	Reader Reader // nil when nobody reads: the server's seat is watched all the same
	Logger *slog.Logger
}

// Desk reads assisted conversations, one after the other.
type Desk struct {
	Options
	wake chan struct{}

	mu    sync.Mutex
	heard map[[32]byte]struct{}

	// Only Run's goroutine uses these.
	seats  map[[32]byte]*seat
	places int // how many certificates the seats know
	failed map[[32]byte]struct{}
}

// seat is the server's place in one conversation.
type seat struct {
	*seal.Seat
	trust *seal.Trust
	next  uint64 // the first sequence that was not read
}

// New makes a desk, at which nobody reads until [Desk.Run].
func New(o Options) *Desk {
	return &Desk{
		Options: o, wake: make(chan struct{}, 1), heard: map[[32]byte]struct{}{},
		seats: map[[32]byte]*seat{}, failed: map[[32]byte]struct{}{},
	}
}

// Heard says that a conversation has something new. It never blocks.
func (d *Desk) Heard(conv [32]byte) {
	d.mu.Lock()
	d.heard[conv] = struct{}{}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run reads until ctx ends, and begins with what came while nobody did.
func (d *Desk) Run(ctx context.Context) {
	if err := d.catchUp(ctx); err != nil && ctx.Err() == nil {
		d.Logger.Error("the server's seat cannot catch up with assisted conversations", "error", err)
	}
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
			d.mu.Lock()
			heard := d.heard
			d.heard = map[[32]byte]struct{}{}
			d.mu.Unlock()
			d.readAll(ctx, heard)
		case <-retry.C:
			failed := d.failed
			d.failed = map[[32]byte]struct{}{}
			d.readAll(ctx, failed)
		}
	}
}

func (d *Desk) catchUp(ctx context.Context) error {
	for _, p := range d.Member.Places(d.Trust()) {
		member, after := p.Certificate.Hash(), [32]byte{}
		for {
			behind, err := d.Store.Behind(ctx, member, after, behindPage)
			if err != nil {
				return err
			}
			for _, conv := range behind {
				d.Heard(conv)
				after = conv
			}
			if len(behind) < behindPage {
				break
			}
		}
	}
	return nil
}

func (d *Desk) readAll(ctx context.Context, convs map[[32]byte]struct{}) {
	if len(convs) == 0 {
		return
	}
	places := d.Member.Places(d.Trust())
	if len(places) != d.places { // whoever sits has not the keys of the newest
		clear(d.seats)
		d.places = len(places)
	}
	for conv := range convs {
		err := d.read(ctx, places, conv)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			delete(d.seats, conv) // the store has everything: begin anew
			d.failed[conv] = struct{}{}
			d.Logger.Warn("an assisted conversation was not read, and will be tried again", "conv", name(conv), "error", err)
		}
	}
}

// read brings the reader what is new in one conversation. A conversation that
// the server is no member of is none of its business.
func (d *Desk) read(ctx context.Context, places []Place, conv [32]byte) error {
	for {
		var from uint64
		s := d.seats[conv]
		if s != nil {
			from = s.Seq() + 1
		}
		entries, extras, err := d.entries(ctx, places, conv, from)
		if err != nil || len(entries) == 0 {
			return err
		}
		if s == nil {
			if s, err = d.sit(ctx, places, conv, entries[0], extras); err != nil {
				return err
			}
			entries = entries[1:]
		}
		if err := d.take(ctx, conv, s, entries, extras); err != nil {
			return err
		}
	}
}

// entries asks as each certificate of the server that is a member, because a
// conversation may have gone from one to the next.
func (d *Desk) entries(ctx context.Context, places []Place, conv [32]byte, from uint64) (entries, extras [][]byte, err error) {
	for _, p := range places {
		page, more, err := d.Log.Entries(ctx, p.Certificate.Hash(), conv, from)
		if chat.KindOf(err) == chat.KindNotFound {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if entries == nil || len(page) < len(entries) {
			entries = page // what both have seen
		}
		extras = append(extras, more...)
	}
	return entries, extras, nil
}

// sit takes the server's place in a conversation.
func (d *Desk) sit(ctx context.Context, places []Place, conv [32]byte, genesis []byte, extras [][]byte) (*seat, error) {
	s := &seat{trust: seal.NewTrust(d.Trust().Org(), 0, false)}
	if err := s.learn(extras); err != nil {
		return nil, err
	}
	t, err := seal.NewTranscript(s.trust, genesis, seal.Expect{Conv: &conv}, 0, false)
	if err != nil {
		return nil, err
	}
	keys := make([]seal.Keys, len(places))
	for i, p := range places {
		keys[i] = d.Member.keys(p)
	}
	s.Seat = seal.NewSeat(t, keys[0], keys[1:]...)
	if s.next, err = d.Store.Next(ctx, conv); err != nil {
		return nil, err
	}
	for other := range d.seats {
		if len(d.seats) < seatsAtOnce {
			break
		}
		delete(d.seats, other)
	}
	d.seats[conv] = s
	return s, nil
}

// learn takes what belongs to entries, as any member does: with a trust of this
// conversation alone, which goes when the seat goes.
func (s *seat) learn(extras [][]byte) error {
	for _, object := range extras {
		if seal.KindOf(object) == seal.KindWrap {
			continue
		}
		if err := s.trust.Add(object); err != nil {
			return err
		}
	}
	return nil
}

// take opens entries and brings what was not read to the reader.
func (d *Desk) take(ctx context.Context, conv [32]byte, s *seat, entries, extras [][]byte) error {
	if err := s.learn(extras); err != nil {
		return err
	}
	before := s.next
	for _, entry := range entries {
		line, err := s.Take(entry, extras, 0, false)
		if err != nil {
			return err
		}
		if line.Seq < s.next {
			continue
		}
		if line.Hidden != nil {
			d.Logger.Warn("the server's seat does not open an entry", "conv", name(conv), "seq", line.Seq, "error", line.Hidden)
		}
		if line.Payload != nil {
			if err := d.bring(ctx, conv, s, line); err != nil {
				return errors.Join(err, d.keep(ctx, conv, before, s.next))
			}
		}
		s.next = line.Seq + 1
	}
	return d.keep(ctx, conv, before, s.next)
}

func (d *Desk) keep(ctx context.Context, conv [32]byte, before, next uint64) error {
	if next == before {
		return nil
	}
	return d.Store.KeepNext(ctx, conv, next)
}

// bring hands a line to the reader. What a reader panics with may be what was
// said, so it is not repeated.
func (d *Desk) bring(ctx context.Context, conv [32]byte, s *seat, line seal.Line) (err error) {
	if d.Reader == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = errors.New("the reader panicked")
		}
	}()
	return d.Reader.Read(ctx, conv, Line{
		Dept: s.Dept(), Seq: line.Seq, Time: line.Event.Time, From: s.Sender(line.Event), Payload: *line.Payload,
	})
}

func name(conv [32]byte) string { return hex.EncodeToString(conv[:8]) }
