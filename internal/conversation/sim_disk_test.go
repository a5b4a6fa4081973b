package conversation_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// crash is the panic by which a process of a history ends.
type crash struct{}

var errDisk = errors.New("the disk has failed")

// disk keeps what was committed, over crashes. It obeys the contract of
// [conversation.Store] and checks what it is given; on the seed's word it fails
// or ends the process, before the commit or after it.
type disk struct {
	r       *rand.Rand
	faults  bool
	convs   map[[32]byte]*kept
	keys    map[[32]byte][][]byte // key objects by owner
	commits int
	broken  func(format string, values ...any)
	during  func() // runs once within the next read of a page
}

// kept is a conversation on the disk.
type kept struct {
	listed  conversation.Listed
	log     []conversation.Entry
	ids     map[string]bool
	wraps   []conversation.Wrap
	hashes  map[[32]byte]int
	running [32]byte
	seats   [][16]byte
}

func newDisk(r *rand.Rand, broken func(string, ...any)) *disk {
	return &disk{r: r, convs: map[[32]byte]*kept{}, keys: map[[32]byte][][]byte{}, broken: broken}
}

// fault draws what goes wrong; the error is one after which nothing, or
// everything, was written.
func (d *disk) fault(write func()) error {
	if !d.faults {
		write()
		return nil
	}
	switch d.r.IntN(150) {
	case 0:
		return errDisk
	case 1:
		write()
		return errDisk
	case 2:
		panic(crash{})
	case 3:
		write()
		panic(crash{})
	}
	write()
	return nil
}

func (d *disk) Append(_ context.Context, records ...conversation.Record) error {
	next := map[[32]byte]uint64{}
	for _, r := range records {
		k := d.convs[r.Conv]
		if k == nil {
			k = &kept{}
		}
		if _, begun := next[r.Conv]; !begun {
			next[r.Conv] = uint64(len(k.log))
		}
		if _, twice := k.hashes[r.Entry.Hash]; twice || r.Entry.Seq < next[r.Conv] || k.ids[string(r.Message)] {
			return conversation.ErrTaken
		}
		if r.Entry.Seq != next[r.Conv] {
			d.broken("entry %d is to be written where %d comes next", r.Entry.Seq, next[r.Conv])
		}
		next[r.Conv]++
		if room := r.Room; room != nil {
			inDept, inAll := d.load(room.Subject, r.Dept, r.Conv)
			if inDept >= room.InDept || inAll >= room.InAll {
				return conversation.ErrFull
			}
		}
	}
	return d.fault(func() {
		d.commits++
		for _, r := range records {
			d.write(r)
		}
	})
}

func (d *disk) write(r conversation.Record) {
	k := d.convs[r.Conv]
	if k == nil {
		k = &kept{ids: map[string]bool{}, hashes: map[[32]byte]int{}}
		k.listed.Since, k.listed.Site = r.Entry.At, r.Site
		d.convs[r.Conv] = k
		k.running = seal.LogStart(r.Conv)
	} else {
		k.running = seal.LogNext(k.running, r.Entry.Seq, r.Entry.Object)
	}
	if k.running != r.Entry.Log {
		d.broken("entry %d has a wrong log hash", r.Entry.Seq)
	}
	if r.Message != nil {
		k.ids[string(r.Message)] = true
	}
	r.Entry.Object = bytes.Clone(r.Entry.Object)
	k.hashes[r.Entry.Hash] = len(k.log)
	k.log = append(k.log, r.Entry)
	k.wraps = append(k.wraps, r.Wraps...)
	since := k.listed.Since
	if k.listed.State == conversation.Closed && r.State != conversation.Closed {
		since = r.Entry.At
	}
	k.seats = slices.Clone(r.Seats)
	k.listed = conversation.Listed{
		Conv: r.Conv, Dept: r.Dept, State: r.State, Seq: r.Entry.Seq, At: r.Entry.At, Since: since, Site: k.listed.Site,
		Members: slices.Clone(r.Members),
	}
}

func (d *disk) Entries(_ context.Context, conv [32]byte, from uint64, limit int) ([]conversation.Entry, error) {
	if d.during != nil {
		meanwhile := d.during
		d.during = nil
		meanwhile()
	}
	k := d.convs[conv]
	if k == nil || from >= uint64(len(k.log)) {
		return nil, nil
	}
	return slices.Clone(k.log[from:min(uint64(len(k.log)), from+uint64(limit))]), nil
}

func (d *disk) ByHash(_ context.Context, conv, hash [32]byte) (conversation.Entry, error) {
	if k := d.convs[conv]; k != nil {
		if i, ok := k.hashes[hash]; ok {
			return k.log[i], nil
		}
	}
	return conversation.Entry{}, conversation.ErrNotFound
}

func (d *disk) Conversation(_ context.Context, conv [32]byte) (conversation.Listed, error) {
	if k := d.convs[conv]; k != nil {
		return k.listed, nil
	}
	return conversation.Listed{}, conversation.ErrNotFound
}

func (d *disk) Wraps(_ context.Context, conv [32]byte, to [][32]byte) ([][]byte, error) {
	var wraps [][]byte
	if k := d.convs[conv]; k != nil {
		for _, w := range k.wraps {
			if slices.Contains(to, w.To) {
				wraps = append(wraps, w.Object)
			}
		}
	}
	return wraps, nil
}

// list gives what is wanted, those that came first first.
func (d *disk) list(limit int, wanted func(*kept) bool) []conversation.Listed {
	var found []conversation.Listed
	for _, k := range d.convs {
		if wanted(k) {
			found = append(found, k.listed)
		}
	}
	slices.SortFunc(found, earlier)
	return found[:min(len(found), limit)]
}

func earlier(a, b conversation.Listed) int {
	return cmp.Or(cmp.Compare(a.Since, b.Since), bytes.Compare(a.Conv[:], b.Conv[:]))
}

func (d *disk) OfDepartment(_ context.Context, dept [16]byte, state conversation.State, limit int) ([]conversation.Listed, error) {
	return d.list(limit, func(k *kept) bool { return k.listed.Dept == dept && k.listed.State == state }), nil
}

func (d *disk) OfPerson(_ context.Context, subject [16]byte, closed bool, limit int) ([]conversation.Listed, error) {
	return d.list(limit, func(k *kept) bool {
		return slices.Contains(k.seats, subject) && (k.listed.State == conversation.Closed) == closed
	}), nil
}

func (d *disk) Answered(context.Context) (bool, error) {
	for _, k := range d.convs {
		if len(k.seats) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// load counts a subject's open conversations but one.
func (d *disk) load(subject, dept [16]byte, but [32]byte) (inDept, inAll int) {
	for conv, k := range d.convs {
		if conv != but && k.listed.State != conversation.Closed && slices.Contains(k.seats, subject) {
			inAll++
			if k.listed.Dept == dept {
				inDept++
			}
		}
	}
	return inDept, inAll
}

func (d *disk) Load(_ context.Context, subject, dept [16]byte) (inDept, inAll int, err error) {
	inDept, inAll = d.load(subject, dept, [32]byte{})
	return inDept, inAll, nil
}

func (d *disk) waiting(dept [16]byte) []conversation.Listed {
	return d.list(math.MaxInt, func(k *kept) bool { return k.listed.Dept == dept && k.listed.State == conversation.Waiting })
}

func (d *disk) Line(_ context.Context, dept [16]byte) (waiting int, oldest int64, err error) {
	line := d.waiting(dept)
	if len(line) > 0 {
		oldest = line[0].Since
	}
	return len(line), oldest, nil
}

func (d *disk) Ahead(_ context.Context, l conversation.Listed) (int, error) {
	ahead := 0
	for _, other := range d.waiting(l.Dept) {
		if earlier(other, l) < 0 {
			ahead++
		}
	}
	return ahead, nil
}

// offices are what an administrator has set: few conversations for everybody.
type offices struct{}

const simRoom = 2

func (offices) Reaches(string, [16]byte) error { return nil }

func (offices) Room(context.Context, *seal.Certificate, [16]byte) (inDept, inAll int, err error) {
	return simRoom, simRoom, nil
}

// directory is one process's view of the organisation.
type directory struct {
	disk  *disk
	trust *seal.Trust
}

func (d *directory) Trust() *seal.Trust { return d.trust }

func (d *directory) Keep(_ context.Context, keyObject []byte) error {
	k := new(seal.KeyObject)
	if err := seal.Parse(keyObject, k); err != nil {
		return err
	}
	return d.disk.fault(func() {
		kept := d.disk.keys[k.Owner]
		if !slices.ContainsFunc(kept, func(o []byte) bool { return bytes.Equal(o, keyObject) }) {
			d.disk.keys[k.Owner] = append(kept, bytes.Clone(keyObject))
		}
	})
}

func (d *directory) KeysOf(_ context.Context, owner [32]byte) ([][]byte, error) {
	return d.disk.keys[owner], nil
}

// describe is what a failing history prints of the disk.
func (d *disk) describe() string {
	var text bytes.Buffer
	for conv, k := range d.convs {
		fmt.Fprintf(&text, "conversation %x: %d entries, state %d\n", conv[:3], len(k.log), k.listed.State)
	}
	return text.String()
}
