package seal

import (
	"cmp"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"slices"
)

// Keys are the private keys of one owner: a device, a department or the
// visitor of one conversation.
type Keys struct {
	Owner [32]byte // hash of the certificate; conv for a visitor
	Sign  ed25519.PrivateKey
	KEM   map[[32]byte]hpke.PrivateKey // by the hash of the key object
}

// Seat is one member's place in one conversation: the transcript, and what the
// member's keys open of it. It is not safe for concurrent use.
type Seat struct {
	*Transcript
	keys        Keys
	departments []Keys
	epochs      []held // by number
	granted     map[uint32]*Opened
	waiting     []Step // events of epochs that are locked
	shown       map[[48]byte]struct{}
}

// held is an epoch's secret, or why there is none.
type held struct {
	opened *Opened
	why    error
}

// Line is what an entry means to a member.
type Line struct {
	Step
	Payload *Payload // of an event that opened
	Hidden  error    // why there is no payload: the rule that its event or epoch broke
	Again   []Line   // of a grant: earlier events that open by it
}

// NewSeat takes a place with a member's keys, and with those of departments
// that it may answer for.
func NewSeat(t *Transcript, keys Keys, departments ...Keys) *Seat {
	return &Seat{Transcript: t, keys: keys, departments: departments, granted: map[uint32]*Opened{}, shown: map[[48]byte]struct{}{}}
}

// Begin makes a visitor's conversation: genesis, key object, epoch 0 and its
// wraps. The department and the mandatory members must be known and hold now.
func Begin(trust *Trust, dept [16]byte, now uint64) (seat *Seat, objects [][]byte, err error) {
	if err := trust.Live(now); err != nil {
		return nil, nil, err
	}
	policy := trust.Policy()
	rules := policy.Department(dept)
	if rules == nil {
		return nil, nil, ErrWrongDepartment.Because("the policy does not have the department")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	g := &Genesis{Org: trust.org, Dept: dept, Mode: rules.Mode, PolicyHash: policy.Hash(), SigKey: [32]byte(public), Time: now}
	rand.Read(g.Nonce[:])
	Sign(g, trust.org, nil, private)
	t, err := NewTranscript(trust, g.Bytes(), Expect{}, now, true)
	if err != nil {
		return nil, nil, err
	}
	keys := Keys{Owner: t.conv, Sign: private, KEM: map[[32]byte]hpke.PrivateKey{}}
	// It begins an hour ago, for readers whose clock is behind.
	own, err := keys.NewKeyObject(trust, now-Hour, now-Hour+visitorKeyDays*Day)
	if err != nil {
		return nil, nil, err
	}
	members := []Member{{0, Visitor, t.conv, own.Hash()}}
	x, k, err := trust.DepartmentKeys(dept, now)
	if err != nil {
		return nil, nil, err
	}
	members = append(members, Member{1, Department, x.Hash(), k.Hash()})
	for i, m := range rules.Mandatory {
		certificate, keyObject, err := trust.newest(m, now)
		if err != nil {
			return nil, nil, err
		}
		members = append(members, Member{uint16(2 + i), m.Role, certificate, keyObject})
	}
	seat = NewSeat(t, keys)
	epoch, wraps, _, err := t.Author(Draft{Accept: NoAccept, Members: members, Time: now}, private)
	if err != nil {
		return nil, nil, err
	}
	objects = append([][]byte{g.Bytes(), own.Bytes(), epoch}, wraps...)
	_, err = seat.Take(epoch, wraps, now, true)
	return seat, objects, err
}

// NewKeyObject makes a KEM key for the owner and signs its key object, which
// trust then knows.
func (k Keys) NewKeyObject(trust *Trust, notBefore, notAfter uint64) (*KeyObject, error) {
	var seed [KEMSeedSize]byte
	rand.Read(seed[:])
	return k.keyObject(trust, seed, notBefore, notAfter)
}

func (k Keys) keyObject(trust *Trust, seed [KEMSeedSize]byte, notBefore, notAfter uint64) (*KeyObject, error) {
	key, err := NewKEMKey(seed[:])
	if err != nil {
		return nil, err
	}
	o := &KeyObject{
		Org: trust.org, Owner: k.Owner, KEMKey: [KEMPublicKeySize]byte(key.PublicKey().Bytes()),
		NotBefore: notBefore, NotAfter: notAfter,
	}
	Sign(o, trust.org, nil, k.Sign)
	k.KEM[o.Hash()] = key
	return o, trust.Add(o.Bytes())
}

// newest finds a member that the policy demands.
func (t *Trust) newest(m Mandatory, now uint64) (certificate, keyObject [32]byte, err error) {
	t.mu.RLock()
	var found []*KeyObject
	for _, k := range t.keyObjects {
		if x := t.certificates[k.Owner]; x != nil && x.Kind == m.Role && x.Subject == m.Subject {
			found = append(found, k)
		}
	}
	t.mu.RUnlock()
	slices.SortFunc(found, func(a, b *KeyObject) int { return cmp.Compare(b.NotBefore, a.NotBefore) })
	for _, k := range found {
		x, err := t.Judge(k.Owner, t.Policy(), now)
		if err != nil {
			continue
		}
		if _, err := t.JudgeKey(k.Hash(), x.Certificate, now); err == nil {
			return k.Owner, k.Hash(), nil
		}
	}
	return certificate, keyObject, ErrMandatoryMissing.Because("no member of role %d that the policy demands is known", m.Role)
}

// Take takes the next entry as Append does, and opens what the keys can. An
// entry that is genuine but does not open gives a line that says why.
func (s *Seat) Take(entry []byte, wraps [][]byte, now uint64, live bool) (Line, error) {
	step, err := s.Append(entry, now, live)
	if err != nil {
		return Line{}, err
	}
	line := Line{Step: step}
	switch {
	case step.Epoch != nil:
		opened, err := s.open(step.Epoch.N, wraps)
		s.epochs = append(s.epochs, held{opened, err})
		line.Hidden = err
	case step.Grant != nil:
		line.Again, line.Hidden = s.receive(step.Grant)
	default:
		line.Payload, line.Hidden = s.read(step.Event)
		if errors.Is(line.Hidden, ErrLocked) {
			s.waiting = append(s.waiting, step)
		}
	}
	return line, nil
}

// receive opens a grant for this member and reads what waited for it. A grant
// for others is no failure: it gives this member nothing.
func (s *Seat) receive(g *Grant) ([]Line, error) {
	opened, err := s.OpenGrant(g, s.keys.Owner, s.keys.KEM)
	if errors.Is(err, ErrNotMember) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, o := range opened {
		s.granted[o.N()] = o
	}
	var again []Line
	s.waiting = slices.DeleteFunc(s.waiting, func(step Step) bool {
		payload, why := s.read(step.Event)
		if errors.Is(why, ErrLocked) {
			return false
		}
		again = append(again, Line{Step: step, Payload: payload, Hidden: why})
		return true
	})
	return again, nil
}

// Give makes a grant of the epochs from one to another, whose secrets this
// member has, to another member.
func (s *Seat) Give(to uint16, from, last uint32, now uint64) ([]byte, error) {
	leaf, ok := s.Leaf()
	if !ok {
		return nil, ErrNotMember.Because("this device is not in the roster")
	}
	if from > last || int(last) >= len(s.epochs) {
		return nil, ErrGrantRight.Because("epochs %d to %d are not there", from, last)
	}
	var opened []*Opened
	for n := from; n <= last; n++ {
		opened = append(opened, s.secret(n))
	}
	return s.Grant(leaf, to, opened, s.keys.Sign, now)
}

// secret is what opens an epoch's events: by an own wrap, or by a grant.
func (s *Seat) secret(n uint32) *Opened {
	if h := s.epochs[n]; h.why == nil {
		return h.opened
	}
	return s.granted[n]
}

func (s *Seat) open(n uint32, wraps [][]byte) (*Opened, error) {
	opened, err := s.Open(n, s.keys.Owner, s.keys.KEM, wraps)
	for _, d := range s.departments {
		if !errors.Is(err, ErrNotMember) {
			break
		}
		opened, err = s.Open(n, d.Owner, d.KEM, wraps)
	}
	return opened, err
}

func (s *Seat) read(e *Event) (*Payload, error) {
	opened := s.secret(e.N)
	if opened == nil {
		return nil, ErrLocked.Because("epoch %d is locked: %v", e.N, s.epochs[e.N].why)
	}
	p, err := opened.Read(e)
	if err != nil {
		return nil, err
	}
	sender, _ := s.Transcript.epochs[e.N].member(e.Leaf)
	if !s.first(sender, p.CID) {
		return nil, ErrDuplicateCID.Because("this message was shown before")
	}
	return &p, nil
}

// first is V12: whether a subject says this for the first time.
func (s *Seat) first(sender *Member, cid [16]byte) bool {
	var key [48]byte
	copy(key[32:], cid[:])
	if sender.Role == Visitor {
		copy(key[:], sender.Certificate[:])
	} else {
		subject := s.trust.Certificate(sender.Certificate).Subject
		copy(key[:], subject[:])
	}
	_, twice := s.shown[key]
	s.shown[key] = struct{}{}
	return !twice
}

// current is the last epoch when this member can use it.
func (s *Seat) current() (*Opened, error) {
	if len(s.epochs) == 0 {
		return nil, ErrLocked.Because("no epoch has begun")
	}
	h := s.epochs[len(s.epochs)-1]
	if h.why != nil {
		return nil, ErrLocked.Because("the epoch is locked: %v", h.why)
	}
	return h.opened, nil
}

// Leaf is the member's leaf in the last epoch.
func (s *Seat) Leaf() (uint16, bool) { return s.leafOf(s.keys.Owner) }

func (s *Seat) leafOf(owner [32]byte) (uint16, bool) {
	if e := s.Epoch(); e != nil {
		for _, m := range e.Members {
			if m.Certificate == owner {
				return m.Leaf, true
			}
		}
	}
	return 0, false
}

// Say seals a payload under the last epoch. A fresh CID is drawn where it is
// zero; a message that is sealed again keeps its own.
func (s *Seat) Say(p Payload, now uint64) ([]byte, error) {
	opened, err := s.current()
	if err != nil {
		return nil, err
	}
	leaf, ok := s.Leaf()
	if !ok {
		return nil, ErrNotMember.Because("this device is not in the roster")
	}
	if p.CID == ([16]byte{}) {
		rand.Read(p.CID[:])
	}
	return opened.Seal(s.Transcript, leaf, s.keys.Sign, p, now)
}

// Change makes the next epoch with this member as its author. Without Members
// they stay as they are.
func (s *Seat) Change(reason byte, members []Member, now uint64) (epoch []byte, wraps [][]byte, err error) {
	if _, err := s.current(); err != nil {
		return nil, nil, err
	}
	leaf, ok := s.Leaf()
	if !ok {
		return nil, nil, ErrNotMember.Because("this device is not in the roster")
	}
	if members == nil {
		members = s.Epoch().Members
	}
	epoch, wraps, _, err = s.Author(Draft{Author: leaf, Accept: NoAccept, Reason: reason, Members: members, Time: now}, s.keys.Sign)
	return epoch, wraps, err
}

// Accept makes the epoch by which this device comes in with the keys of a
// department that is a member (section 4.5), with its key object.
func (s *Seat) Accept(keyObject [32]byte, now uint64) (epoch []byte, wraps [][]byte, err error) {
	if _, err := s.current(); err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(s.Transcript.epochs, func(e *Epoch) bool { return e.Reason == ReasonAccept }) {
		// A conversation that goes on for long may change hands later.
		if err := s.Fresh(now); err != nil {
			return nil, nil, err
		}
	}
	x := s.trust.Certificate(s.keys.Owner)
	if x == nil {
		return nil, nil, ErrBadCertificate.Because("this device's certificate is not known")
	}
	for _, d := range s.departments {
		author, ok := s.leafOf(d.Owner)
		if !ok {
			continue
		}
		leaf := uint16(s.nextLeaf) //nolint:gosec // leaves have two bytes
		members := slices.Clone(s.Epoch().Members)
		if !s.trust.Policy().Department(s.genesis.Dept).Keep {
			members = slices.DeleteFunc(members, func(m Member) bool { return m.Role == Department })
		}
		members = append(members, Member{leaf, x.Kind, s.keys.Owner, keyObject})
		epoch, wraps, _, err = s.Author(Draft{Author: author, Accept: leaf, Reason: ReasonAccept, Members: members, Time: now}, d.Sign, s.keys.Sign)
		return epoch, wraps, err
	}
	return nil, nil, ErrNotMember.Because("no department that this device has keys of is a member")
}

// NextLeaf is the lowest leaf that was never used.
func (t *Transcript) NextLeaf() uint16 { return uint16(t.nextLeaf) } //nolint:gosec // leaves have two bytes

// Keys are the keys that the member sits with.
func (s *Seat) Keys() Keys { return s.keys }
