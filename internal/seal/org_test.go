package seal

import (
	"crypto/ed25519"
	"crypto/hpke"
	"testing"
)

// world is an organisation with one department and two agents, at a fixed time.
type world struct {
	t        testing.TB
	now      uint64
	org      [32]byte
	root     ed25519.PrivateKey
	status   ed25519.PrivateKey
	enroller ed25519.PrivateKey
	issuer   *Certificate
	policy   *Policy
	dept     [16]byte
	deptX    *Certificate
	deptKeys Keys
	trust    *Trust
	serial   byte
	objects  [][]byte // everything that trust was given, in order
}

// person is a certified device with its key object.
type person struct {
	Keys
	certificate *Certificate
	keyObject   *KeyObject
}

const worldTime = 1_800_000_000_000

func key(t testing.TB, seed byte) ed25519.PrivateKey {
	t.Helper()
	var s [32]byte
	for i := range s {
		s[i] = seed + byte(i)
	}
	return ed25519.NewKeyFromSeed(s[:])
}

func public(k ed25519.PrivateKey) [32]byte {
	p, _ := k.Public().(ed25519.PublicKey)
	return [32]byte(p)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: worldTime, root: key(t, 1), status: key(t, 2), enroller: key(t, 3), dept: [16]byte{0xd1}}
	rootKey := public(w.root)
	w.org = hashOf(rootKey[:])
	w.trust = NewTrust(w.org, 0, true)
	w.issuer = &Certificate{
		Org: w.org, Kind: Enroller, Custody: Company, Rights: 7, Name: "office", SigKey: public(w.enroller),
		NotBefore: w.now - Day, NotAfter: w.now + 300*Day, Issuer: w.org,
	}
	Sign(w.issuer, w.org, nil, w.root)
	w.add(w.issuer.Bytes())
	w.policy = w.newPolicy(nil)
	w.add(w.policy.Bytes())
	w.add(w.newStatus(nil).Bytes())
	deptKey := key(t, 4)
	w.deptX = w.certify(deptKey, func(x *Certificate) {
		x.Kind, x.Dept, x.Generation, x.Name, x.Departments = Department, w.dept, 1, "support", nil
		x.NotAfter = x.NotBefore + 80*Day
	})
	w.deptKeys = Keys{Owner: w.deptX.Hash(), Sign: deptKey, KEM: map[[32]byte]hpke.PrivateKey{}}
	k, err := w.deptKeys.NewKeyObject(w.trust, w.now-Hour, w.now+60*Day)
	if err != nil {
		t.Fatal(err)
	}
	w.objects = append(w.objects, k.Bytes())
	return w
}

func (w *world) add(object []byte) {
	w.t.Helper()
	if err := w.trust.Add(object); err != nil {
		w.t.Fatal(err)
	}
	w.objects = append(w.objects, object)
}

// newPolicy makes the next version, changed by edit before it is signed.
func (w *world) newPolicy(edit func(*Policy)) *Policy {
	p := &Policy{
		Org: w.org, RootKey: public(w.root), Version: 1, Time: w.now - Hour, MinVersion: 1, StatusKey: public(w.status),
		StatusCustody: Operator, MaxCertDays: 30, Enrollers: [][32]byte{w.issuer.Hash()},
		Departments: []DepartmentPolicy{{
			ID: w.dept, Mode: Sealed, History: 1, Roles: 1<<Agent | 1<<Supervisor | 1<<Department | 1<<Bot | 1<<Server,
			MaxAgeHours: 48, MaxCertDays: 14,
		}},
	}
	if w.policy != nil {
		p.Version, p.Time = w.policy.Version+1, w.now
	}
	if edit != nil {
		edit(p)
	}
	Sign(p, w.org, nil, w.root)
	return p
}

func (w *world) newStatus(edit func(*Status)) *Status {
	s := &Status{
		Org: w.org, PolicyVersion: w.policy.Version, PolicyHash: w.policy.Hash(),
		IssuedAt: w.now - Minute, NotAfter: w.now + 23*Hour,
	}
	if edit != nil {
		edit(s)
	}
	Sign(s, w.org, nil, w.status)
	return s
}

// certify makes an agent's certificate, changed by edit before it is signed.
func (w *world) certify(k ed25519.PrivateKey, edit func(*Certificate)) *Certificate {
	w.t.Helper()
	w.serial++
	x := &Certificate{
		Org: w.org, Kind: Agent, Custody: Company, Subject: [16]byte{w.serial}, Device: [16]byte{w.serial},
		Serial: [16]byte{w.serial}, Departments: [][16]byte{w.dept}, Name: "Ana", SigKey: public(k),
		NotBefore: w.now - Hour, NotAfter: w.now + 13*Day, Issuer: w.issuer.Hash(),
	}
	if edit != nil {
		edit(x)
	}
	Sign(x, w.org, nil, w.enroller)
	w.add(x.Bytes())
	return x
}

func (w *world) person(seed byte, edit func(*Certificate)) person {
	w.t.Helper()
	k := key(w.t, seed)
	x := w.certify(k, edit)
	p := person{Keys: Keys{Owner: x.Hash(), Sign: k, KEM: map[[32]byte]hpke.PrivateKey{}}, certificate: x}
	o, err := p.NewKeyObject(w.trust, w.now-Minute, w.now+10*Day)
	if err != nil {
		w.t.Fatal(err)
	}
	w.objects = append(w.objects, o.Bytes())
	p.keyObject = o
	return p
}

func (p person) member(leaf uint16) Member {
	return Member{leaf, p.certificate.Kind, p.Owner, p.keyObject.Hash()}
}

// talk is a conversation with everything that its log has.
type talk struct {
	*world
	visitor *Seat
	entries [][]byte
	wraps   [][]byte
}

func (w *world) talk() *talk {
	w.t.Helper()
	seat, objects, err := Begin(w.trust, w.dept, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.objects = append(w.objects, objects[1])
	return &talk{world: w, visitor: seat, entries: [][]byte{objects[0], objects[2]}, wraps: objects[3:]}
}

// seat reads the log anew as somebody.
func (k *talk) seat(keys Keys, departments ...Keys) *Seat {
	k.t.Helper()
	t, err := NewTranscript(k.trust, k.entries[0], Expect{}, k.now, false)
	if err != nil {
		k.t.Fatal(err)
	}
	s := NewSeat(t, keys, departments...)
	for i, entry := range k.entries[1:] {
		if _, err := s.Take(entry, k.wraps, k.now, true); err != nil {
			k.t.Fatalf("entry %d: %v", i+1, err)
		}
	}
	return s
}

// post appends an entry that the visitor's transcript must take.
func (k *talk) post(entry []byte, wraps [][]byte, err error) Line {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
	k.wraps = append(k.wraps, wraps...)
	line, err := k.visitor.Take(entry, k.wraps, k.now, true)
	if err != nil {
		k.t.Fatal(err)
	}
	k.entries = append(k.entries, entry)
	return line
}
