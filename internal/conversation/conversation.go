package conversation

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

const (
	pageSize   = 200  // entries in one answer
	openAtOnce = 4096 // transcripts in memory
)

// Directory is what this package asks about the organisation.
type Directory interface {
	Trust() *seal.Trust // nil before the organisation's first policy
	// Keep keeps a key object that came with an epoch.
	Keep(ctx context.Context, keyObject []byte) error
	// KeysOf gives the key objects of a conversation's visitor.
	KeysOf(ctx context.Context, owner [32]byte) ([][]byte, error)
}

// Listener hears what was committed, in the order of each conversation. It
// must not block.
type Listener interface {
	Publish(conv [32]byte, seq uint64, object []byte)
	Moved(dept [16]byte, conv [32]byte, seq uint64)
}

// Offices is what this package asks about what an administrator sets.
type Offices interface {
	// Reaches refuses a site that is not there, and one that does not lead to a department.
	Reaches(site string, dept [16]byte) error
	// Room is how many open conversations the person of a certified device may
	// have, in a department and in all.
	Room(ctx context.Context, device *seal.Certificate, dept [16]byte) (inDept, inAll int, err error)
}

// Options are what conversations need; all are required.
type Options struct {
	Store     Store
	Directory Directory
	Listener  Listener
	Offices   Offices
	Door      Door
	Now       func() time.Time
}

// Conversations takes entries and gives them back. It is safe for concurrent
// use.
type Conversations struct {
	store     Store
	directory Directory
	listener  Listener
	offices   Offices
	door      Door
	now       func() time.Time
	page      int // pageSize, and openAtOnce: tests have smaller ones
	memory    int

	mu    sync.Mutex
	open  map[[32]byte]*list.Element
	order *list.List // of *slot, the last used first
}

// slot is one conversation in memory; whoever holds its lock may advance it.
type slot struct {
	conv [32]byte
	mu   sync.Mutex
	t    *seal.Transcript // nil until it is loaded
	gone bool             // no longer the one in memory: whoever waited takes another
	keys [][32]byte       // the visitor's key objects, which trust knows while this is in memory
}

// New makes the service.
func New(o Options) *Conversations {
	return &Conversations{
		store: o.Store, directory: o.Directory, listener: o.Listener, offices: o.Offices, door: o.Door, now: o.Now,
		page: pageSize, memory: openAtOnce,
		open: map[[32]byte]*list.Element{}, order: list.New(),
	}
}

// Receipt says where an entry stands.
type Receipt struct {
	Seq   uint64
	At    int64 // milliseconds since 1970
	Again bool  // the same bytes were there already (S5)
}

var (
	errNotAllowed = &chat.Error{Kind: chat.KindNotFound, Message: "there is no such conversation for you"}
	errConflict   = &chat.Error{Kind: chat.KindConflict, Message: "another change came first: fetch the conversation and decide anew"}
	errFull       = &chat.Error{Kind: chat.KindConflict, Code: "at_capacity", Message: "you have as many open conversations as you may have: close one first"}
	errNothing    = &chat.Error{Kind: chat.KindUnavailable, Message: "this server has no organisation yet"}
)

// at takes a conversation's slot, locked.
func (c *Conversations) at(conv [32]byte) *slot {
	for {
		s := c.find(conv)
		s.mu.Lock()
		if !s.gone {
			return s
		}
		s.mu.Unlock()
	}
}

// find takes a slot out of memory or makes an empty one, and drops those that
// were not used for longest.
func (c *Conversations) find(conv [32]byte) *slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.open[conv]; e != nil {
		c.order.MoveToFront(e)
		return slotOf(e)
	}
	s := &slot{conv: conv}
	e := c.order.PushFront(s)
	c.open[conv] = e
	for old := c.order.Back(); old != e && c.order.Len() > c.memory; {
		before := old.Prev()
		if o := slotOf(old); o.mu.TryLock() { // one that is in use stays
			c.drop(o)
			o.mu.Unlock()
		}
		old = before
	}
	return s
}

func slotOf(e *list.Element) *slot {
	s, ok := e.Value.(*slot)
	if !ok {
		panic("conversation: the list of slots has something else")
	}
	return s
}

// forget drops what is in memory of a conversation; the store has everything.
func (c *Conversations) forget(s *slot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(s)
}

func (c *Conversations) drop(s *slot) {
	e := c.open[s.conv]
	if e == nil || slotOf(e) != s {
		return
	}
	c.order.Remove(e)
	delete(c.open, s.conv)
	s.gone = true
	for _, k := range s.keys {
		c.directory.Trust().Forget(k)
	}
}

// load reads a conversation's log into its slot, whose lock is held. The log
// was judged when it was taken, so a refusal here means that the store was
// changed.
func (c *Conversations) load(ctx context.Context, s *slot) (*seal.Transcript, error) {
	trust := c.directory.Trust()
	if trust == nil {
		return nil, errNothing
	}
	if s.t != nil {
		return s.t, nil
	}
	keys, err := c.directory.KeysOf(ctx, s.conv)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if err := s.learn(trust, k); err != nil {
			return nil, fmt.Errorf("the store has a key object that does not hold: %w", err)
		}
	}
	var t *seal.Transcript
	for from := uint64(0); ; from += uint64(c.page) { //nolint:gosec // a page has few entries
		entries, err := c.store.Entries(ctx, s.conv, from, c.page)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if t == nil {
				t, err = seal.NewTranscript(trust, e.Object, seal.Expect{Conv: &s.conv, Server: true}, 0, false)
			} else {
				_, err = t.Append(e.Object, 0, false)
			}
			if err != nil {
				return nil, fmt.Errorf("entry %d of the store does not hold: %w", e.Seq, err)
			}
			if t.Log() != e.Log {
				return nil, fmt.Errorf("entry %d of the store has another log hash", e.Seq)
			}
		}
		if len(entries) < c.page {
			break
		}
	}
	if t == nil {
		c.forget(s)
		return nil, errNotAllowed
	}
	s.t = t
	return t, nil
}

func (s *slot) learn(trust *seal.Trust, keyObject []byte) error {
	k := new(seal.KeyObject)
	if err := seal.Parse(keyObject, k); err != nil {
		return err
	}
	if k.Owner == s.conv {
		s.keys = append(s.keys, k.Hash())
	}
	return trust.Add(keyObject)
}

// learnAll learns key objects and says which trust did not know before.
func (s *slot) learnAll(trust *seal.Trust, keyObjects [][]byte) (fresh [][32]byte, err error) {
	for _, k := range keyObjects {
		hash := hashOf(k)
		if trust.KeyObject(hash) != nil {
			continue
		}
		if err := s.learn(trust, k); err != nil {
			return fresh, err
		}
		fresh = append(fresh, hash)
	}
	return fresh, nil
}

// VisitorKey is the signing key of a conversation's visitor, for sessions.
func (c *Conversations) VisitorKey(ctx context.Context, conv [32]byte) ([32]byte, error) {
	s := c.at(conv)
	defer s.mu.Unlock()
	t, err := c.load(ctx, s)
	if err != nil {
		return [32]byte{}, err
	}
	return t.VisitorKey(), nil
}

// Begin takes a new conversation from a site, "" for none: genesis, the visitor's key object, epoch 0
// and its wraps. Genesis and epoch are one transaction; the key object stands
// before it, and alone means nothing.
func (c *Conversations) Begin(ctx context.Context, site string, genesis, keyObject, epoch []byte, wraps [][]byte) (Receipt, error) {
	ctx = context.WithoutCancel(ctx) // as in Append
	trust := c.directory.Trust()
	if trust == nil {
		return Receipt{}, errNothing
	}
	now := c.now()
	t, err := seal.NewTranscript(trust, genesis, seal.Expect{Server: true}, milliseconds(now), true)
	if err != nil {
		return Receipt{}, err
	}
	if site != "" {
		if err := c.offices.Reaches(site, t.Dept()); err != nil {
			return Receipt{}, err
		}
	}
	conv := t.Conv()
	s := c.at(conv)
	defer s.mu.Unlock()
	if stored, err := c.store.ByHash(ctx, conv, hashOf(epoch)); err == nil {
		return Receipt{Seq: stored.Seq, At: stored.At, Again: true}, nil
	}
	if s.t != nil {
		return Receipt{}, errConflict
	}
	k := new(seal.KeyObject)
	if err := seal.Parse(keyObject, k); err != nil {
		c.forget(s)
		return Receipt{}, err
	}
	if k.Owner != conv {
		c.forget(s)
		return Receipt{}, chat.Invalid("body", "the key object is not the visitor's")
	}
	if err := s.learn(trust, keyObject); err != nil {
		c.forget(s)
		return Receipt{}, err
	}
	first := Entry{Seq: 0, Object: genesis, Hash: conv, Log: t.Log(), At: now.UnixMilli()}
	step, err := t.Append(epoch, milliseconds(now), true)
	if err == nil {
		err = step.Epoch.CheckWraps(wraps)
	}
	if err == nil {
		err = c.directory.Keep(ctx, keyObject)
	}
	if err == nil {
		begun := Record{Conv: conv, Dept: t.Dept(), Entry: first, State: Waiting, Members: members(t), Site: site}
		var next Record
		if next, err = c.record(ctx, t, step, epoch, wraps, now); err == nil {
			err = c.store.Append(ctx, begun, next)
		}
	}
	if err != nil {
		c.forget(s)
		if errors.Is(err, ErrTaken) {
			return Receipt{}, errConflict
		}
		return Receipt{}, err
	}
	s.t = t
	c.listener.Moved(t.Dept(), conv, step.Seq)
	return Receipt{Seq: step.Seq, At: now.UnixMilli()}, nil
}

// Append takes the next entry from somebody: an event, a grant, or an epoch with the
// key objects that are new in it and its wraps (S2 to S8). It returns after the
// commit.
func (c *Conversations) Append(ctx context.Context, who policy.Actor, conv [32]byte, entry []byte, keyObjects, wraps [][]byte) (Receipt, error) {
	// A sender that hangs up does not stop a commit that is under way, and what
	// is committed must be known here and published.
	ctx = context.WithoutCancel(ctx)
	s := c.at(conv)
	defer s.mu.Unlock()
	t, err := c.load(ctx, s)
	if err != nil {
		return Receipt{}, err
	}
	// The transcript has the whole log, so the store is asked only for what is
	// there. Whoever brings the same bytes had them: an agent who has just left
	// may have lost the answer.
	if hash := hashOf(entry); t.Has(hash) {
		stored, err := c.store.ByHash(ctx, conv, hash)
		return Receipt{Seq: stored.Seq, At: stored.At, Again: true}, err
	}
	if err := c.decide(t, who, actionOf(entry)); err != nil {
		return Receipt{}, err
	}
	if err := c.check(s, c.speaks(who.Key), entry, keyObjects, wraps); err != nil {
		return Receipt{}, err
	}
	fresh, err := s.learnAll(c.directory.Trust(), keyObjects)
	now := c.now()
	var step seal.Step
	if err == nil {
		step, err = t.Append(entry, milliseconds(now), true)
	}
	if err != nil {
		// What a refused entry brought is not remembered.
		for _, k := range fresh {
			c.directory.Trust().Forget(k)
		}
		return Receipt{}, err
	}
	for _, k := range keyObjects {
		if err == nil {
			err = c.directory.Keep(ctx, k)
		}
	}
	if err == nil {
		var next Record
		if next, err = c.record(ctx, t, step, entry, wraps, now); err == nil {
			err = c.store.Append(ctx, next)
		}
	}
	if err != nil {
		// The transcript is ahead of the store: read it anew.
		c.forget(s)
		s.t = nil
		switch {
		case errors.Is(err, ErrTaken):
			return Receipt{}, errConflict
		case errors.Is(err, ErrFull):
			return Receipt{}, errFull
		}
		return Receipt{}, err
	}
	c.listener.Publish(conv, step.Seq, entry)
	if step.Epoch != nil || t.Closed() {
		c.listener.Moved(t.Dept(), conv, step.Seq)
	}
	return Receipt{Seq: step.Seq, At: now.UnixMilli()}, nil
}

// check asks what only the server asks before the rules of the log: that the
// caller speaks for itself, that an epoch follows the stored one (S3), that its
// wraps are complete (S4) and that a message is new (S5).
func (c *Conversations) check(s *slot, owns func(owner [32]byte) bool, entry []byte, keyObjects, wraps [][]byte) error {
	switch kind := seal.KindOf(entry); kind {
	case seal.KindEvent:
		e := new(seal.Event)
		if err := seal.Parse(entry, e); err != nil {
			return err
		}
		if len(keyObjects)+len(wraps) > 0 {
			return chat.Invalid("body", "only an epoch comes with key objects and wraps")
		}
		if !s.t.IsLeaf(e.N, e.Leaf, owns) {
			return seal.ErrNotSender.Because("leaf %d is not yours", e.Leaf)
		}
		if s.t.HasMessage(e) {
			return &chat.Error{Kind: chat.KindConflict, Message: "another event has this leaf and msg_id"}
		}
	case seal.KindEpoch:
		e := new(seal.Epoch)
		if err := seal.Parse(entry, e); err != nil {
			return err
		}
		if last := s.t.Epoch(); e.N != last.N+1 || e.Prev != last.Hash() {
			return errConflict
		}
		if !s.t.MayAuthor(e, owns) {
			return seal.ErrNotAuthor.Because("leaf %d is not yours", e.Author)
		}
		if err := e.CheckWraps(wraps); err != nil {
			return err
		}
		if len(keyObjects) > len(e.Members) {
			return &chat.Error{Kind: chat.KindTooLarge, Field: "body", Limit: int64(len(e.Members)), Message: "there are more key objects than members"}
		}
		for _, k := range keyObjects {
			hash := hashOf(k)
			if seal.KindOf(k) != seal.KindKeyObject || !slices.ContainsFunc(e.Members, func(m seal.Member) bool { return m.KeyObject == hash }) {
				return chat.Invalid("body", "only key objects that the epoch names come with it")
			}
		}
	case seal.KindGrant:
		g := new(seal.Grant)
		if err := seal.Parse(entry, g); err != nil {
			return err
		}
		if len(keyObjects)+len(wraps) > 0 {
			return chat.Invalid("body", "only an epoch comes with key objects and wraps")
		}
		if !s.t.MayGrant(g, owns) {
			return seal.ErrGrantRight.Because("leaf %d is not yours", g.Author)
		}
	default:
		return seal.ErrBadKind.Because("an epoch, event or grant was expected, this is a %s", kind)
	}
	return nil
}

// record is what one transaction keeps of an entry that the transcript took.
func (c *Conversations) record(ctx context.Context, t *seal.Transcript, step seal.Step, object []byte, wraps [][]byte, now time.Time) (Record, error) {
	r := Record{
		Conv: t.Conv(), Dept: t.Dept(), State: state(t), Members: members(t), Seats: c.seats(t),
		Entry: Entry{Seq: step.Seq, Object: object, Hash: hashOf(object), Log: step.Log, At: now.UnixMilli()},
	}
	if step.Event != nil {
		r.Message = step.Event.ID()
	}
	for i, w := range wraps {
		r.Wraps = append(r.Wraps, Wrap{To: step.Epoch.Members[i].KeyObject, Object: w})
	}
	if e := step.Epoch; e != nil && e.Reason == seal.ReasonAccept {
		for _, m := range e.Members {
			if m.Leaf != e.Accept {
				continue
			}
			device := c.directory.Trust().Certificate(m.Certificate)
			inDept, inAll, err := c.offices.Room(ctx, device, t.Dept())
			if err != nil {
				return r, err
			}
			r.Room = &Room{Subject: device.Subject, InDept: inDept, InAll: inAll}
		}
	}
	return r, nil
}

// seats are the subjects of the people who answer.
func (c *Conversations) seats(t *seal.Transcript) (subjects [][16]byte) {
	trust := c.directory.Trust()
	for _, m := range t.Epoch().Members {
		if !answers(m.Role) {
			continue
		}
		if subject := trust.Certificate(m.Certificate).Subject; !slices.Contains(subjects, subject) {
			subjects = append(subjects, subject)
		}
	}
	return subjects
}

// answers reports whether a role is that of a person of the company.
func answers(role seal.Role) bool { return role == seal.Agent || role == seal.Supervisor }

func state(t *seal.Transcript) State {
	if t.Closed() {
		return Closed
	}
	if e := t.Epoch(); e != nil {
		for _, m := range e.Members {
			if answers(m.Role) {
				return Taken
			}
		}
	}
	return Waiting
}

func members(t *seal.Transcript) [][32]byte {
	var hashes [][32]byte
	if e := t.Epoch(); e != nil {
		for _, m := range e.Members {
			hashes = append(hashes, m.Certificate)
		}
	}
	return hashes
}

// Page is a part of a conversation for one caller.
type Page struct {
	Entries [][]byte
	// Extras are the caller's wraps of the page's epochs (S7), and the policies,
	// certificates and key objects that its entries name.
	Extras [][]byte
}

// Entries gives somebody at most 200 entries with a sequence of at least from.
func (c *Conversations) Entries(ctx context.Context, who policy.Actor, conv [32]byte, from uint64) (Page, error) {
	s := c.at(conv)
	t, err := c.load(ctx, s)
	var epochs []*seal.Epoch
	var last uint64
	whole := false
	if err == nil {
		last, whole, err = c.reach(ctx, t, who)
		epochs = t.EpochsFrom(from)
	}
	s.mu.Unlock()
	if err != nil {
		return Page{}, err
	}
	entries, err := c.store.Entries(ctx, conv, from, c.page)
	if err != nil {
		return Page{}, err
	}
	// What was committed since then has wraps that are not known here.
	entries = slices.DeleteFunc(entries, func(e Entry) bool { return e.Seq > last })
	var page Page
	for _, e := range entries {
		page.Entries = append(page.Entries, e.Object)
	}
	epochs = slices.DeleteFunc(epochs, func(e *seal.Epoch) bool {
		return !slices.ContainsFunc(entries, func(entry Entry) bool { return entry.Hash == e.Hash() })
	})
	page.Extras, err = c.extras(ctx, t, who, epochs, whole)
	return page, err
}

func (c *Conversations) extras(ctx context.Context, t *seal.Transcript, who policy.Actor, epochs []*seal.Epoch, wrapped bool) ([][]byte, error) {
	trust := c.directory.Trust()
	var extras [][]byte
	seen := map[[32]byte]bool{}
	add := func(hash [32]byte, object interface{ Bytes() []byte }) {
		if !seen[hash] {
			seen[hash] = true
			extras = append(extras, object.Bytes())
		}
	}
	owns := c.speaks(who.Key)
	ofDepartment := slices.Contains(who.Departments, t.Dept())
	mine := map[[32]byte]bool{} // hashes of wraps
	var to [][32]byte
	for _, e := range epochs {
		if p := trust.PolicyOf(e.PolicyHash); p != nil {
			add(e.PolicyHash, p)
		}
		for i, m := range e.Members {
			if x := trust.Certificate(m.Certificate); x != nil {
				add(m.Certificate, x)
				if issuer := trust.Certificate(x.Issuer); issuer != nil {
					add(x.Issuer, issuer)
				}
			}
			if k := trust.KeyObject(m.KeyObject); k != nil {
				add(m.KeyObject, k)
			}
			if wrapped && (owns(m.Certificate) || m.Role == seal.Department && ofDepartment) {
				to = append(to, m.KeyObject)
				mine[e.WrapHashes[i]] = true
			}
		}
	}
	if len(to) == 0 {
		return extras, nil
	}
	wraps, err := c.store.Wraps(ctx, t.Conv(), to)
	for _, w := range wraps {
		if mine[hashOf(w)] {
			extras = append(extras, w)
		}
	}
	return extras, err
}
