package seal

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"encoding/binary"
	"slices"
)

// Opened is an epoch whose secret was opened and verified. There is no other
// way to one, and nothing seals, reads or authors without: that is how a locked
// epoch fails closed (W6, L5). The zero value does nothing.
type Opened struct {
	es    [32]byte
	epoch *Epoch
	conv  [32]byte
	org   [32]byte
}

func wrapInfo(core [32]byte, leaf uint16) []byte {
	info := append([]byte("asc1 wrap"), core[:]...)
	return binary.BigEndian.AppendUint16(info, leaf)
}

// Open opens epoch n for a member whose certificate has the hash owner (conv
// for the visitor), with the private key of its key object, from the wraps that
// were given (W1 to W5).
func (t *Transcript) Open(n uint32, owner [32]byte, keys map[[32]byte]hpke.PrivateKey, wraps [][]byte) (*Opened, error) {
	if int(n) >= len(t.epochs) {
		return nil, ErrNotMember.Because("epoch %d has not begun", n)
	}
	e := t.epochs[n]
	place := slices.IndexFunc(e.Members, func(m Member) bool { return m.Certificate == owner })
	if place < 0 {
		return nil, ErrNotMember.Because("this device is not in the roster of epoch %d", n)
	}
	me := e.Members[place]
	key := keys[me.KeyObject]
	if key == nil {
		return nil, ErrNotMember.Because("the roster has a key object that is not this device's")
	}
	found := false
	for _, raw := range wraps {
		w := new(Wrap)
		if Parse(raw, w) != nil {
			continue
		}
		mine := w.Type == WrapEpoch && w.Leaf == me.Leaf && w.To == me.KeyObject
		listed := w.Hash() == e.WrapHashes[place]
		if !mine && !listed {
			continue
		}
		found = true
		if !mine || !listed {
			continue
		}
		return t.unwrap(e, me, key, w)
	}
	if found {
		return nil, ErrWrapHash.Because("the wrap is not the one that epoch %d names", n)
	}
	return nil, ErrWrapMissing.Because("there is no wrap for this device in epoch %d", n)
}

func (t *Transcript) unwrap(e *Epoch, me Member, key hpke.PrivateKey, w *Wrap) (*Opened, error) {
	core := e.CoreHash()
	secret, err := OpenSecret(key, w.Enc[:], w.Ciphertext, wrapInfo(core, me.Leaf), 32)
	if err != nil {
		return nil, err
	}
	es := [32]byte(secret)
	clear(secret)
	commitment := Commit(es, core)
	if !hmac.Equal(commitment[:], e.Commitment[:]) {
		return nil, ErrKeyCommit.Because("the secret is not the one that epoch %d commits to", e.N)
	}
	return &Opened{es: es, epoch: e, conv: t.conv, org: t.trust.org}, nil
}

// N is the number of the epoch.
func (o *Opened) N() uint32 { return o.epoch.N }

// Erase forgets the secret; afterwards the epoch is locked.
func (o *Opened) Erase() { *o = Opened{} }

func (o *Opened) ready() error {
	if o == nil || o.epoch == nil {
		return ErrLocked.Because("this epoch's secret is not there")
	}
	return nil
}

func (o *Opened) aad(h []byte) []byte {
	hash := o.epoch.Hash()
	return slices.Concat(o.conv[:], hash[:], h)
}

// Seal makes the event of a member with a leaf: payload, padded and sealed,
// signed by the member's key. The time is cut to a whole second.
func (o *Opened) Seal(t *Transcript, leaf uint16, key ed25519.PrivateKey, p Payload, now uint64) ([]byte, error) {
	if err := o.ready(); err != nil {
		return nil, err
	}
	if o.conv != t.conv {
		return nil, ErrLocked.Because("this secret is of another conversation")
	}
	if int(o.N()) >= len(t.epochs) {
		return nil, ErrGap.Because("the log ends before epoch %d, which this secret is of: fetch what is missing", o.N())
	}
	sender, _ := o.epoch.member(leaf)
	if sender == nil {
		return nil, ErrNotSender.Because("leaf %d is not in the roster of epoch %d", leaf, o.N())
	}
	seen := t.Seq()
	if last := t.Epoch(); last.N == o.N()+1 {
		seen = t.epochSeq[last.N] - 1 // V2: what the epoch before may still say
	}
	content := p.encode()
	if same, err := parsePayload(content, speaker{p.class(), sender.Role, seen}); err != nil {
		return nil, err
	} else if !slices.Equal(same.Fields, p.Fields) {
		return nil, ErrBadPayload.Because("a name or value of the form is too long")
	}
	padded, err := Pad(content)
	if err != nil {
		return nil, err
	}
	e := &Event{
		N: o.N(), Leaf: leaf, Class: p.class(), SeenSeq: seen, SeenLog: t.log[seen],
		Time: now / 1000 * 1000, Ciphertext: make([]byte, len(padded)+tagSize),
	}
	encode(e)
	const idAt = headerSize + 4 + 2 + 1
	h := e.header()
	e.MessageID = NewMessageID(o.es, slices.Concat(h[:idAt], h[idAt+16:]), padded)
	encode(e)
	aad := o.aad(e.header())
	if e.Ciphertext, e.Commitment, err = SealBody(DeriveMessageKeys(o.es, o.epoch.Hash(), e.header()), aad, padded); err != nil {
		return nil, err
	}
	Sign(e, o.org, o.aad(nil), key)
	return e.Bytes(), nil
}

// Read opens an event of this epoch that a transcript has taken (V8 to V11).
func (o *Opened) Read(e *Event) (Payload, error) {
	if err := o.ready(); err != nil {
		return Payload{}, err
	}
	sender, _ := o.epoch.member(e.Leaf)
	if e.N != o.N() || sender == nil {
		return Payload{}, ErrLocked.Because("this secret is of epoch %d, the event of leaf %d in %d", o.N(), e.Leaf, e.N)
	}
	raw, err := OpenBody(DeriveMessageKeys(o.es, o.epoch.Hash(), e.header()), o.aad(e.header()), e.Ciphertext, e.Commitment)
	if err != nil {
		return Payload{}, err
	}
	return parsePayload(raw, speaker{e.Class, sender.Role, e.SeenSeq})
}

// Draft is an epoch before it is signed.
type Draft struct {
	Author  uint16
	Accept  uint16 // NoAccept, or the leaf of the accepting device
	Reason  byte
	Members []Member
	Time    uint64
}

// Author makes the next epoch: a fresh secret, wrapped to every member's key
// object, signed by the author and, in an accept, by the accepting device. It
// is not taken yet; Append judges it as anybody's.
func (t *Transcript) Author(d Draft, keys ...ed25519.PrivateKey) (epoch []byte, wraps [][]byte, opened *Opened, err error) {
	policy := t.trust.Policy()
	e := &Epoch{
		Conv: t.conv, N: uint32(len(t.epochs)), Prev: t.conv, //nolint:gosec // at most 2000
		SeenSeq: t.Seq(), SeenLog: t.Log(), Time: d.Time, Author: d.Author, Accept: d.Accept, Reason: d.Reason,
		PolicyVersion: policy.Version, PolicyHash: policy.Hash(), Members: d.Members,
		WrapHashes: make([][32]byte, len(d.Members)),
	}
	if last := t.Epoch(); last != nil {
		e.Prev = last.Hash()
	}
	opened = &Opened{epoch: e, conv: t.conv, org: t.trust.org}
	rand.Read(opened.es[:])
	encode(e)
	core := e.CoreHash()
	e.Commitment = Commit(opened.es, core)
	for i, m := range d.Members {
		to := t.trust.KeyObject(m.KeyObject)
		if to == nil {
			return nil, nil, nil, ErrBadKeyObject.Because("the key object of leaf %d is not known", m.Leaf)
		}
		w := &Wrap{Type: WrapEpoch, Leaf: m.Leaf, To: m.KeyObject}
		enc, ct, err := WrapSecret(opened.es[:], to.KEMKey[:], wrapInfo(core, m.Leaf))
		if err != nil {
			return nil, nil, nil, err
		}
		w.Enc, w.Ciphertext = [KEMEncSize]byte(enc), ct
		Sign(w, t.trust.org, nil)
		wraps = append(wraps, w.Bytes())
		e.WrapHashes[i] = w.Hash()
	}
	Sign(e, t.trust.org, nil, keys...)
	return e.Bytes(), wraps, opened, nil
}

// CheckWraps is S4: exactly one wrap for each member, in the roster's order.
func (e *Epoch) CheckWraps(wraps [][]byte) error {
	if len(wraps) != len(e.Members) {
		return ErrWrapSet.Because("%d members and %d wraps", len(e.Members), len(wraps))
	}
	for i, raw := range wraps {
		w := new(Wrap)
		if err := Parse(raw, w); err != nil {
			return ErrWrapSet.Because("wrap %d: %v", i, err)
		}
		m := e.Members[i]
		if w.Type != WrapEpoch || w.Leaf != m.Leaf || w.To != m.KeyObject || w.Hash() != e.WrapHashes[i] {
			return ErrWrapSet.Because("wrap %d is not the one that the epoch names for leaf %d", i, m.Leaf)
		}
	}
	return nil
}
