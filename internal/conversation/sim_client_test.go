package conversation_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// client is somebody's browser: it follows conversations, keeps what it has to
// say until it is acknowledged, and believes nothing that it can compute.
type client struct {
	*history
	name  string
	owner [32]byte // hash of the certificate; conv for a visitor
	key   ed25519.PrivateKey
	staff *staff // nil for a visitor
	views []*view
}

// actor is as whom the client asks.
func (c *client) actor() policy.Actor {
	if c.staff == nil {
		return policy.Actor{Role: chat.RoleVisitor, Key: c.owner}
	}
	return policy.Actor{Role: chat.RoleAgent, Key: c.owner, Departments: c.staff.cert.Departments}
}

// view is one conversation as one client knows it.
type view struct {
	*client
	conv    [32]byte
	log     [][]byte
	running [32]byte
	epochs  []*seal.Epoch
	closed  bool
	online  bool // the socket carries pushes
	outbox  []*item
	said    [][16]byte // what was taken out of the outbox as done, in order
	drawn   uint32     // of key objects
}

// item is something to hand in: it is sealed when it is first posted, and posted
// with the same bytes until there is an answer.
type item struct {
	cid    [16]byte
	seal   func(*view, *item) bool // false when it is pointless by now
	entry  []byte
	keys   [][]byte
	wraps  [][]byte
	first  [][]byte // genesis and key object, of a beginning
	epoch  bool
	posted bool
	bad    bool // it must be refused
}

// takes is the client's own check of everything that it is told of the log.
// False is a gap.
func (v *view) takes(seq uint64, object []byte) bool {
	switch {
	case seq > uint64(len(v.log)):
		return false
	case seq < uint64(len(v.log)):
		if !bytes.Equal(v.log[seq], object) {
			v.broken("%s is told another entry %d than before", v.name, seq)
		}
		return true
	}
	if seq == 0 {
		if sha256.Sum256(object) != v.conv {
			v.broken("%s is given another conversation", v.name)
		}
		v.running = seal.LogStart(v.conv)
	} else {
		v.running = seal.LogNext(v.running, seq, object)
	}
	v.log = append(v.log, object)
	switch seal.KindOf(object) {
	case seal.KindEpoch:
		e := new(seal.Epoch)
		v.must(seal.Parse(object, e))
		v.epochs, v.closed = append(v.epochs, e), false
	case seal.KindEvent:
		e := new(seal.Event)
		v.must(seal.Parse(object, e))
		v.closed = e.Class == seal.ClassClose
	}
	if len(v.outbox) > 0 && bytes.Equal(v.outbox[0].entry, object) {
		v.done()
	}
	return true
}

// done takes the first item out of the outbox: it is in the log.
func (v *view) done() {
	v.said, v.outbox = append(v.said, v.outbox[0].cid), v.outbox[1:]
}

func (v *view) epoch() *seal.Epoch {
	if len(v.epochs) == 0 {
		return nil
	}
	return v.epochs[len(v.epochs)-1]
}

// leaf is the place in the last roster of a certificate, or of conv.
func (v *view) leaf(owner [32]byte) (uint16, bool) {
	if e := v.epoch(); e != nil {
		for _, m := range e.Members {
			if m.Certificate == owner {
				return m.Leaf, true
			}
		}
	}
	return 0, false
}

func (v *view) nextLeaf() uint16 {
	next := uint16(0)
	for _, e := range v.epochs {
		for _, m := range e.Members {
			next = max(next, m.Leaf+1)
		}
	}
	return next
}

// says queues an event; the text is its cid, in the clear where a ciphertext
// would be: the server cannot tell.
func (v *view) says(class byte) {
	v.queue(func(v *view, i *item) bool {
		leaf, ok := v.leaf(v.owner)
		if !ok || v.closed {
			return false
		}
		i.entry = v.event(leaf, class, i.cid, v.key)
		return true
	})
}

func (v *view) queue(seal func(*view, *item) bool) *item {
	i := &item{seal: seal}
	v.random(i.cid[:])
	v.outbox = append(v.outbox, i)
	return i
}

func (v *view) event(leaf uint16, class byte, cid [16]byte, key ed25519.PrivateKey) []byte {
	last := v.epoch()
	e := &seal.Event{
		N: last.N, Leaf: leaf, Class: class, SeenSeq: uint64(len(v.log) - 1), SeenLog: v.running,
		Time: v.milliseconds() / 1000 * 1000, Ciphertext: make([]byte, 80),
	}
	v.random(e.MessageID[:])
	v.random(e.Ciphertext)
	copy(e.Ciphertext, cid[:])
	hash := last.Hash()
	seal.Sign(e, v.org.id, append(v.conv[:], hash[:]...), key)
	return e.Bytes()
}

// changes queues an epoch. Its wraps have the right form and open nothing: the
// server is not to know.
func (v *view) changes(reason byte, draft func(*view, *seal.Epoch, *item) []ed25519.PrivateKey) {
	v.queue(func(v *view, i *item) bool {
		last := v.epoch()
		if last == nil {
			return false
		}
		e := &seal.Epoch{
			Conv: v.conv, N: last.N + 1, Prev: last.Hash(), SeenSeq: uint64(len(v.log) - 1), SeenLog: v.running,
			Time: v.milliseconds(), Accept: seal.NoAccept, Reason: reason, PolicyVersion: last.PolicyVersion, PolicyHash: last.PolicyHash,
			Members: slices.Clone(last.Members),
		}
		keys := draft(v, e, i)
		if keys == nil {
			return false
		}
		i.entry, i.wraps = v.sign(e, keys...)
		return true
	}).epoch = true
}

// sign gives an epoch wraps and signatures.
func (h *history) sign(e *seal.Epoch, keys ...ed25519.PrivateKey) (entry []byte, wraps [][]byte) {
	h.random(e.Commitment[:])
	e.WrapHashes = nil
	for _, m := range e.Members {
		w := &seal.Wrap{Type: seal.WrapEpoch, Leaf: m.Leaf, To: m.KeyObject, Ciphertext: make([]byte, 48)}
		h.random(w.Enc[:16])
		h.random(w.Ciphertext)
		seal.Sign(w, h.org.id, nil)
		wraps = append(wraps, w.Bytes())
		e.WrapHashes = append(e.WrapHashes, w.Hash())
	}
	seal.Sign(e, h.org.id, nil, keys...)
	return e.Bytes(), wraps
}

// accepts queues the epoch by which an agent takes a waiting conversation.
func (v *view) accepts() {
	v.changes(seal.ReasonAccept, func(v *view, e *seal.Epoch, _ *item) []ed25519.PrivateKey {
		author, waits := v.leaf(v.org.deptCert)
		if !waits || v.closed {
			return nil
		}
		e.Author, e.Accept = author, v.nextLeaf()
		e.Members = slices.DeleteFunc(e.Members, func(m seal.Member) bool { return m.Role == seal.Department })
		e.Members = append(e.Members, v.staff.member(e.Accept))
		return []ed25519.PrivateKey{v.org.deptKey, v.key}
	})
}

func (s *staff) member(leaf uint16) seal.Member {
	return seal.Member{Leaf: leaf, Role: s.cert.Kind, Certificate: s.cert.Hash(), KeyObject: s.keyHash}
}

// invites queues an epoch with a colleague in it.
func (v *view) invites(colleague *staff) {
	v.changes(seal.ReasonMembers, func(v *view, e *seal.Epoch, _ *item) []ed25519.PrivateKey {
		leaf, in := v.leaf(v.owner)
		if _, there := v.leaf(colleague.cert.Hash()); !in || there || v.closed {
			return nil
		}
		e.Author = leaf
		e.Members = append(e.Members, colleague.member(v.nextLeaf()))
		return []ed25519.PrivateKey{v.key}
	})
}

// leaves queues the epoch by which an agent goes.
func (v *view) leaves() {
	v.changes(seal.ReasonMembers, func(v *view, e *seal.Epoch, _ *item) []ed25519.PrivateKey {
		leaf, in := v.leaf(v.owner)
		people := 0
		for _, m := range e.Members {
			if m.Role == seal.Agent {
				people++
			}
		}
		if !in || v.closed || people < 2 {
			return nil
		}
		e.Author = leaf
		e.Members = slices.DeleteFunc(e.Members, func(m seal.Member) bool { return m.Leaf == leaf })
		return []ed25519.PrivateKey{v.key}
	})
}

// reopens queues the visitor's epoch after a close; rekeys one with a new key
// object of the visitor.
func (v *view) reopens() {
	v.changes(seal.ReasonReopen, func(v *view, _ *seal.Epoch, _ *item) []ed25519.PrivateKey {
		if !v.closed {
			return nil
		}
		return []ed25519.PrivateKey{v.key}
	})
}

func (v *view) rekeys() {
	v.changes(seal.ReasonRekey, func(v *view, e *seal.Epoch, i *item) []ed25519.PrivateKey {
		if v.closed {
			return nil
		}
		k := v.keyObject()
		i.keys = [][]byte{k.Bytes()}
		e.Members[0].KeyObject = k.Hash()
		return []ed25519.PrivateKey{v.key}
	})
}

func (v *view) keyObject() *seal.KeyObject {
	v.drawn++
	k := &seal.KeyObject{
		Org: v.org.id, Owner: v.conv, KEMKey: [seal.KEMPublicKeySize]byte(v.org.kem[int(v.drawn)%len(v.org.kem)]),
		NotBefore: v.milliseconds() - seal.Hour, NotAfter: v.milliseconds() + 100*seal.Day,
	}
	seal.Sign(k, v.org.id, nil, v.key)
	return k
}

// begins queues a conversation of a new visitor.
func (c *client) begins() *view {
	g := &seal.Genesis{Org: c.org.id, Dept: c.org.dept, Mode: seal.Sealed, SigKey: seal.PublicKey(c.key), Time: c.milliseconds()}
	policy := new(seal.Policy)
	c.must(seal.Parse(c.org.objects[0], policy))
	g.PolicyHash = policy.Hash()
	c.random(g.Nonce[:])
	seal.Sign(g, c.org.id, nil, c.key)
	c.owner = g.Hash()
	v := c.looks(c.owner)
	k := v.keyObject()
	e := &seal.Epoch{
		Conv: v.conv, Prev: v.conv, SeenLog: seal.LogStart(v.conv), Time: c.milliseconds(), Accept: seal.NoAccept,
		Reason: seal.ReasonGenesis, PolicyVersion: policy.Version, PolicyHash: policy.Hash(),
		Members: []seal.Member{
			{Leaf: 0, Role: seal.Visitor, Certificate: v.conv, KeyObject: k.Hash()},
			{Leaf: 1, Role: seal.Department, Certificate: c.org.deptCert, KeyObject: c.org.deptKEM},
		},
	}
	entry, wraps := c.sign(e, c.key)
	v.outbox = append(v.outbox, &item{entry: entry, wraps: wraps, first: [][]byte{g.Bytes(), k.Bytes()}, epoch: true, posted: true})
	return v
}

// looks begins to follow a conversation.
func (c *client) looks(conv [32]byte) *view {
	for _, v := range c.views {
		if v.conv == conv {
			return v
		}
	}
	v := &view{client: c, conv: conv}
	c.views = append(c.views, v)
	return v
}

// posts puts the first item of the outbox on the wire, once more when it is
// there already. What has become pointless is dropped.
func (v *view) posts() {
	for len(v.outbox) > 0 {
		i := v.outbox[0]
		if i.entry == nil && !i.seal(v, i) {
			v.outbox = v.outbox[1:]
			continue
		}
		i.posted = true
		v.send(packet{ask: &request{view: v, item: i, entry: i.entry, keys: i.keys, wraps: i.wraps, first: i.first, bad: i.bad}})
		return
	}
}

// answered is told what became of an item; an answer that was delayed may be
// about bytes that are no longer meant.
func (v *view) answered(i *item, entry []byte, err error) {
	if len(v.outbox) == 0 || v.outbox[0] != i || !bytes.Equal(i.entry, entry) {
		return
	}
	var refusal seal.Refusal
	var problem *chat.Error
	switch {
	case err == nil:
		v.done()
	case errors.As(err, &refusal) && refusal.Rule == seal.ErrEpochStale.Rule, errors.As(err, &problem) && problem.Kind == chat.KindConflict:
		if i.epoch {
			v.outbox = v.outbox[1:] // whoever came first has decided
		} else {
			i.entry, i.posted = nil, false // sealed again, under the epoch that came first
		}
		v.fetches()
	case errors.As(err, &refusal) || problem != nil:
		v.outbox = v.outbox[1:] // a person would be told
		v.fetches()
	}
}

// fetches asks for what follows.
func (v *view) fetches() {
	v.send(packet{ask: &request{view: v, fetch: true, from: uint64(len(v.log))}})
}

// page takes an answer to it: dense, and with the caller's wraps and no others
// [S7].
func (v *view) page(from uint64, p *conversation.Page, whole bool) {
	due := map[[32]byte]bool{}
	for i, object := range p.Entries {
		if !v.takes(from+uint64(i), object) {
			return // an old answer, of a question after which there was a gap
		}
		e := new(seal.Epoch)
		if seal.Parse(object, e) != nil {
			continue
		}
		for j, m := range e.Members {
			if !whole {
				continue
			}
			if m.Certificate == v.owner || m.Role == seal.Department && v.staff != nil && slices.Contains(v.staff.cert.Departments, v.org.dept) {
				due[e.WrapHashes[j]] = true
			}
		}
	}
	for _, extra := range p.Extras {
		if seal.KindOf(extra) != seal.KindWrap {
			continue
		}
		hash := sha256.Sum256(extra)
		if !due[hash] {
			v.broken("%s is given a wrap that is not its own or not of this page", v.name)
		}
		delete(due, hash)
	}
	if len(due) > 0 {
		v.broken("%s is not given %d of its wraps", v.name, len(due))
	}
}
