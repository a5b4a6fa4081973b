package seal

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/hpke"
	"slices"
)

// granters may give what they have; takers are people who come later.
var (
	granters = []Role{Visitor, Agent, Supervisor, Server}
	takers   = []Role{Agent, Supervisor}
)

// checkGrant asks S8, R2 to R6, R8 and R10: what everybody can tell of a grant.
func (t *Transcript) checkGrant(g *Grant, now uint64, live bool) error {
	if t.closed {
		return ErrClosed.Because("the conversation is closed: its visitor, agent or supervisor can open it again")
	}
	last := t.Epoch()
	if g.Conv != t.conv || last == nil || g.Epoch != last.Hash() {
		return ErrGrantStale.Because("the grant is not made in the last epoch of this conversation")
	}
	author, to, err := t.grantParties(g, last)
	if err != nil {
		return err
	}
	policy := t.trust.PolicyOf(last.PolicyHash)
	for _, m := range []*Member{author, to} {
		if m.Role == Visitor {
			continue
		}
		for _, at := range t.moments(g.Time, now, live) {
			if _, err := t.trust.judge(m.Certificate, policy, at); err != nil {
				return ErrGrantRight.Because("leaf %d: %v", m.Leaf, err)
			}
		}
	}
	if policy.Department(t.genesis.Dept).History == 0 && !t.sameSubject(author, to) {
		return ErrGrantPolicy.Because("the policy gives a newcomer nothing of before")
	}
	if _, twice := t.hashes[g.Hash()]; twice {
		return ErrDuplicateGrant.Because("this grant is in the log")
	}
	if err := t.pair(g.SeenSeq, g.SeenLog, ErrGrantLog); err != nil {
		return err
	}
	if err := verified(g, t.trust.org, nil, 0, t.sigKey(author), ErrGrantSignature); err != nil {
		return err
	}
	if len(g.Ciphertext) != 32*g.epochs()+wrapOverhead {
		return ErrGrantLength.Because("%d epochs need %d bytes, there are %d", g.epochs(), 32*g.epochs()+wrapOverhead, len(g.Ciphertext))
	}
	return nil
}

// grantParties is R3 but for the certificates' time: who gives, and to whom.
func (t *Transcript) grantParties(g *Grant, last *Epoch) (author, to *Member, err error) {
	author, _ = last.member(g.Author)
	to, _ = last.member(g.ToLeaf)
	switch {
	case author == nil || !slices.Contains(granters, author.Role):
		return nil, nil, ErrGrantRight.Because("leaf %d is no member that may grant", g.Author)
	case to == nil || to == author || !slices.Contains(takers, to.Role):
		return nil, nil, ErrGrantRight.Because("leaf %d is no other person's device or other device", g.ToLeaf)
	case g.To > last.N:
		return nil, nil, ErrGrantRight.Because("epoch %d has not begun", g.To)
	}
	for _, e := range t.epochs[g.From : g.To+1] {
		if !slices.ContainsFunc(e.Members, func(m Member) bool { return m.Certificate == author.Certificate }) {
			return nil, nil, ErrGrantRight.Because("the author was no member of epoch %d", e.N)
		}
	}
	return author, to, nil
}

// sameSubject reports whether two members are devices of one person.
func (t *Transcript) sameSubject(a, b *Member) bool {
	if a.Role == Visitor || b.Role == Visitor {
		return a.Role == b.Role
	}
	return t.trust.Certificate(a.Certificate).Subject == t.trust.Certificate(b.Certificate).Subject
}

// MayGrant reports whether an owner speaks for the author of a grant that
// follows the last entry.
func (t *Transcript) MayGrant(g *Grant, owns func(owner [32]byte) bool) bool {
	last := t.Epoch()
	return last != nil && t.IsLeaf(last.N, g.Author, owns)
}

// OpenGrant opens the secrets of a grant that the transcript has taken, for the
// owner of its recipient's leaf (R7, R9): all, or none.
func (t *Transcript) OpenGrant(g *Grant, owner [32]byte, keys map[[32]byte]hpke.PrivateKey) ([]*Opened, error) {
	var me *Member
	for _, e := range t.epochs {
		if e.Hash() == g.Epoch {
			me, _ = e.member(g.ToLeaf)
		}
	}
	if me == nil || me.Certificate != owner || keys[me.KeyObject] == nil {
		return nil, ErrNotMember.Because("the grant is for somebody else")
	}
	secrets, err := OpenSecret(keys[me.KeyObject], g.Enc[:], g.Ciphertext, g.info(), 32*g.epochs())
	if err != nil {
		return nil, ErrGrantOpen.Because("the grant does not open with this device's key")
	}
	defer clear(secrets)
	var opened []*Opened
	for i, e := range t.epochs[g.From : g.To+1] {
		es := [32]byte(secrets[32*i:])
		commitment := Commit(es, e.CoreHash())
		if !hmac.Equal(commitment[:], e.Commitment[:]) {
			return nil, ErrGrantCommit.Because("a secret is not the one that epoch %d commits to", e.N)
		}
		opened = append(opened, &Opened{es: es, epoch: e, conv: t.conv, org: t.trust.org})
	}
	return opened, nil
}

// Grant makes a grant of consecutive epochs' secrets by the leaf author to
// another leaf of the last epoch, signed by the author's key. It is not taken
// yet; Append judges it as anybody's.
func (t *Transcript) Grant(author, to uint16, epochs []*Opened, key ed25519.PrivateKey, now uint64) ([]byte, error) {
	last := t.Epoch()
	if last == nil || len(epochs) == 0 {
		return nil, ErrGrantRight.Because("there is nothing to grant")
	}
	m, _ := last.member(to)
	if m == nil {
		return nil, ErrGrantRight.Because("leaf %d is no member", to)
	}
	box := t.trust.KeyObject(m.KeyObject)
	if box == nil {
		return nil, ErrBadKeyObject.Because("the key object of leaf %d is not known", to)
	}
	var secrets []byte
	defer func() { clear(secrets) }()
	for i, o := range epochs {
		if err := o.ready(); err != nil {
			return nil, err
		}
		if o.conv != t.conv || o.N() != epochs[0].N()+uint32(i) {
			return nil, ErrLocked.Because("the secrets are not those of consecutive epochs of this conversation")
		}
		secrets = append(secrets, o.es[:]...)
	}
	g := &Grant{
		Conv: t.conv, Epoch: last.Hash(), From: epochs[0].N(), To: epochs[len(epochs)-1].N(), ToLeaf: to, Author: author,
		SeenSeq: t.Seq(), SeenLog: t.Log(), Time: now, Ciphertext: make([]byte, len(secrets)+wrapOverhead),
	}
	encode(g)
	enc, ct, err := WrapSecret(secrets, box.KEMKey[:], g.info())
	if err != nil {
		return nil, err
	}
	g.Enc, g.Ciphertext = [KEMEncSize]byte(enc), ct
	Sign(g, t.trust.org, nil, key)
	return g.Bytes(), nil
}
