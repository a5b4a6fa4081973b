package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// cases collects them.
type cases struct {
	t   *testing.T
	all []*attack
}

func (c *cases) add(name string, rule Refusal, step string, a attack) *attack {
	a.name, a.rule, a.step = name, rule, step
	if rule.Rule != "" {
		a.name = "[" + rule.Rule + "] " + name
	}
	a.trust, a.log, a.wraps = slices.Clone(a.trust), slices.Clone(a.log), slices.Clone(a.wraps)
	c.all = append(c.all, &a)
	return &a
}

var accepted = Refusal{}

func hostileCases(t *testing.T) []*attack {
	t.Helper()
	c := &cases{t: t}
	c.parsing()
	c.keys()
	c.status()
	c.certificates()
	c.enrolment()
	c.genesis()
	c.epochs()
	c.rosters()
	c.authors()
	c.kept()
	c.epoch0()
	c.budget()
	c.wraps()
	c.events()
	c.bodies()
	c.grants()
	return c.all
}

// plain gives an object's bytes without any signature or check.
func plain(o Object) []byte {
	encode(o)
	return o.base().Bytes()
}

// changed gives a copy with other bytes at a place.
func changed(object []byte, at int, with ...byte) []byte {
	object = bytes.Clone(object)
	copy(object[at:], with)
	return object
}

// change makes the policy anew with another rule for the department.
func (w *world) change(edit func(*DepartmentPolicy)) {
	w.t.Helper()
	w.policy = w.newPolicy(func(p *Policy) {
		if w.policy != nil {
			p.Enrollers = slices.Clone(w.policy.Enrollers)
			p.Departments[0] = w.policy.Departments[0]
		}
		edit(&p.Departments[0])
	})
	w.add(w.policy.Bytes())
}

func (w *world) attack() attack { return attack{now: w.now, org: w.org, trust: w.objects} }

// ---- P ----

func (c *cases) parsing() {
	w := newWorld(c.t)
	k := w.talk()
	say, err := k.visitor.Say(text("hola"), w.now)
	k.post(say, nil, err)
	dept := DepartmentKey{[32]byte{1}, [32]byte{2}}
	deptWrap, err := dept.Wrap(w.deptX, w.trust.KeyObject(k.visitor.Epoch().Members[0].KeyObject))
	if err != nil {
		c.t.Fatal(err)
	}
	device := key(c.t, 90)
	enrolment := &Enrolment{Org: w.org, Subject: [16]byte{1}, Device: [16]byte{2}, Kind: Agent, SigKey: public(device), Time: w.now}
	Sign(enrolment, w.org, nil, device)
	root := &RootChange{OldKey: public(w.root), NewKey: public(device), Version: 2, Time: w.now}
	Sign(root, w.org, nil, w.root, device)
	receipt := &Receipt{Conv: k.visitor.Conv(), Seq: 2, Log: k.visitor.Log(), At: w.now}
	Sign(receipt, w.org, nil, device)
	session := &Session{Org: w.org, Challenge: [32]byte{3}, Owner: [32]byte{4}, Time: w.now}
	Sign(session, w.org, nil, device)
	status := w.newStatus(func(s *Status) {
		s.Generations, s.Revoked = []Generation{{w.dept, 1, 5}}, []Revocation{{[32]byte{1}, 6}, {[32]byte{2}, 7}}
	})
	policy := w.newPolicy(func(p *Policy) {
		p.Issuers = []Issuer{{1, "https://id.example", make([]byte, 32)}, {2, "ñ", nil}}
		p.Departments[0].Mandatory = []Mandatory{{Archive, [16]byte{7}}}
	})
	grant := &Grant{Conv: k.visitor.Conv(), From: 1, To: 2, ToLeaf: 3, Author: 2, SeenSeq: 2, Time: w.now, Ciphertext: make([]byte, 80)}
	Sign(grant, w.org, nil, device)
	genuine := map[Kind][]byte{
		KindGrant:   grant.Bytes(),
		KindGenesis: k.entries[0], KindEpoch: k.entries[1], KindEvent: say, KindKeyObject: w.trust.KeyObject(k.visitor.Epoch().Members[0].KeyObject).Bytes(),
		KindPolicy: policy.Bytes(), KindCertificate: w.deptX.Bytes(), KindStatus: status.Bytes(), KindEnrolment: enrolment.Bytes(),
		KindRootChange: root.Bytes(), KindReceipt: receipt.Bytes(), KindSession: session.Bytes(), KindWrap: k.wraps[0],
	}
	parse := func(name string, rule Refusal, kind Kind, input []byte) {
		c.add(name, rule, "parse", attack{org: w.org, kind: kind, input: input})
	}
	for kind := KindGenesis; kind <= KindWrap; kind++ {
		o := genuine[kind]
		if o == nil {
			continue
		}
		name := kind.String()
		parse("parsed: "+name, accepted, kind, o)
		parse(name+" of version 2", ErrBadVersion, kind, changed(o, 0, 2))
		parse(name+" of another kind", ErrBadKind, kind, changed(o, 1, byte(kind%14+1)))
		parse(name+" of another suite", ErrBadSuite, kind, changed(o, 3, 0x7b))
		parse(name+" without its last byte", ErrBadLength, kind, o[:len(o)-1])
		parse(name+" with one byte more", ErrTrailing, kind, append(bytes.Clone(o), 0))
		if kind.Limit() < 5000 {
			parse(name+" over its limit", ErrTooLarge, kind, append(bytes.Clone(o), make([]byte, kind.Limit()+1-len(o))...))
		}
	}
	parse("a wrap of department keys", accepted, KindWrap, deptWrap)
	granted := func(edit func(*Grant)) []byte {
		g := new(Grant)
		if err := Parse(grant.Bytes(), g); err != nil {
			c.t.Fatal(err)
		}
		edit(g)
		return plain(g)
	}
	parse("a grant of no epoch", ErrBadLength, KindGrant, granted(func(g *Grant) { g.Ciphertext = make([]byte, 47) }))
	parse("a grant of 2000 epochs", accepted, KindGrant, granted(func(g *Grant) { g.To, g.Ciphertext = 2000, make([]byte, 64016) }))
	parse("a grant with a secret too many", ErrBadLength, KindGrant, granted(func(g *Grant) { g.Ciphertext = make([]byte, 64017) }))
	parse("a grant from an epoch after its last", ErrBadValue, KindGrant, granted(func(g *Grant) { g.From = 3 }))
	parse("X9: a grant's seen_seq of 2^53+1", ErrBadInteger, KindGrant, changed(grant.Bytes(), headerSize+32+32+4+4+2+2, binary.BigEndian.AppendUint64(nil, 1<<53+1)...))
	parse("nothing", ErrBadLength, KindGenesis, nil)
	parse("half a header", ErrBadLength, KindGenesis, []byte{1, 1, 0x64})
	parse("a header alone", ErrBadLength, KindEvent, []byte{1, 3, 0x64, 0x7a})
	parse("kind 0x63", ErrBadKind, KindEvent, changed(say, 1, 0x63))
	parse("suite zero", ErrBadSuite, KindEvent, changed(say, 2, 0, 0))

	// P5: counts and lengths that are not true.
	epoch := k.entries[1]
	const coreHead = headerSize + 32 + 4 + 32 + 8 + 32 + 8 + 2 + 2 + 1 + 4 + 32 + 32 + 32
	parse("255 members where two are", ErrBadLength, KindEpoch, changed(epoch, coreHead, 255))
	parse("65535 revoked where two are", ErrBadLength, KindStatus, changed(status.Bytes(), headerSize+32+4+32+16+1+28, 0xff, 0xff))
	body := func(size int) []byte {
		e := new(Event)
		if err := Parse(say, e); err != nil {
			c.t.Fatal(err)
		}
		e.Ciphertext = make([]byte, size)
		return plain(e)
	}
	parse("X5: body of three bytes and a tag", ErrBadLength, KindEvent, body(19))
	parse("body of 79 bytes", ErrBadLength, KindEvent, body(79))
	parse("body of 80 bytes", accepted, KindEvent, body(80))
	parse("the longest body", accepted, KindEvent, body(12304))
	parse("body of 12305 bytes", ErrBadLength, KindEvent, body(12305))
	wrap := func(edit func(*Wrap)) []byte {
		x := new(Wrap)
		if err := Parse(k.wraps[0], x); err != nil {
			c.t.Fatal(err)
		}
		edit(x)
		return plain(x)
	}
	parse("secret of 32 bytes without a tag", ErrBadLength, KindWrap, wrap(func(x *Wrap) { x.Ciphertext = x.Ciphertext[:32] }))
	parse("epoch secret with the size of department keys", ErrBadLength, KindWrap, wrap(func(x *Wrap) { x.Ciphertext = make([]byte, 80) }))
	parse("department keys with the size of an epoch secret", ErrBadLength, KindWrap, wrap(func(x *Wrap) { x.Type = WrapDepartment }))

	// P7
	number := func(kind Kind, at int, value uint64) []byte {
		return changed(genuine[kind], at, binary.BigEndian.AppendUint64(nil, value)...)
	}
	const genesisTime = headerSize + 32 + 16 + 1 + 32 + 32 + 32
	parse("time of 2^53-1", accepted, KindGenesis, number(KindGenesis, genesisTime, 1<<53-1))
	parse("time of 2^53", ErrBadInteger, KindGenesis, number(KindGenesis, genesisTime, 1<<53))
	parse("X9: time of 2^53+1", ErrBadInteger, KindGenesis, number(KindGenesis, genesisTime, 1<<53+1))
	parse("time of 2^64-1", ErrBadInteger, KindGenesis, number(KindGenesis, genesisTime, 1<<64-1))
	parse("X9: seen_seq of 2^53+1", ErrBadInteger, KindEpoch, number(KindEpoch, headerSize+32+4+32, 1<<53+1))
	parse("X9: seq of 2^53+1", ErrBadInteger, KindReceipt, number(KindReceipt, headerSize+32, 1<<53+1))
	parse("X9: log_size of 2^53+1", ErrBadInteger, KindStatus, number(KindStatus, len(status.Bytes())-64-32-8, 1<<53+1))

	// P8
	named := func(edit func(*Certificate)) []byte {
		x := new(Certificate)
		if err := Parse(w.deptX.Bytes(), x); err != nil {
			c.t.Fatal(err)
		}
		edit(x)
		return plain(x)
	}
	for _, bad := range []struct{ name, text string }{
		{"a zero", "A\x00na"},
		{"a line feed", "Ana\n"},
		{"delete", "Ana\x7f"},
		{"a C1 control", "Ana\u0085"},
		{"a line separator", "Ana\u2028"},
		{"an Arabic letter mark", "Ana\u061c"},
		{"a right-to-left mark", "\u200fAna"},
		{"a right-to-left override", "Ana\u202egro"},
		{"an isolate", "\u2066Ana"},
		{"no UTF-8", "Ana\xff"},
		{"half a character", "Ana\xc3"},
		{"a surrogate", "Ana\xed\xa0\x80"},
		{"an overlong slash", "Ana\xc0\xaf"},
		{"65 bytes", strings.Repeat("a", 65)},
	} {
		parse("name with "+bad.name, ErrBadText, KindCertificate, named(func(x *Certificate) { x.Name = bad.text }))
		parse("title with "+bad.name, ErrBadText, KindCertificate, named(func(x *Certificate) { x.Title = bad.text }))
	}
	parse("name of 64 bytes beyond the first plane", accepted, KindCertificate, named(func(x *Certificate) { x.Name = strings.Repeat("🙂", 16) }))
	parse("name that begins with U+FEFF", accepted, KindCertificate, named(func(x *Certificate) { x.Name = "\ufeffAna" }))
	parse("name that is not in form C", accepted, KindCertificate, named(func(x *Certificate) { x.Name = "n\u0303" }))
	parse("issuer with a control character", ErrBadText, KindPolicy, plain(w.newPolicyRaw(func(p *Policy) {
		p.Issuers = []Issuer{{1, "a\tb", nil}}
	})))

	// P9
	c.values(w, genuine, named, wrap)
}

// newPolicyRaw is a policy that nobody signed and that need not be readable.
func (w *world) newPolicyRaw(edit func(*Policy)) *Policy {
	p := w.newPolicy(nil)
	edit(p)
	return p
}

func (c *cases) values(w *world, genuine map[Kind][]byte, named func(func(*Certificate)) []byte, wrap func(func(*Wrap)) []byte) {
	bad := func(name string, kind Kind, input []byte) {
		c.add(name, ErrBadValue, "parse", attack{org: w.org, kind: kind, input: input})
	}
	policy := func(name string, edit func(*Policy)) { bad(name, KindPolicy, plain(w.newPolicyRaw(edit))) }
	epoch := func(name string, edit func(*Epoch)) {
		e := new(Epoch)
		if err := Parse(genuine[KindEpoch], e); err != nil {
			c.t.Fatal(err)
		}
		edit(e)
		bad(name, KindEpoch, plain(e))
	}
	event := func(name string, edit func(*Event)) {
		e := new(Event)
		if err := Parse(genuine[KindEvent], e); err != nil {
			c.t.Fatal(err)
		}
		edit(e)
		bad(name, KindEvent, plain(e))
	}
	bad("genesis with mode 0", KindGenesis, changed(genuine[KindGenesis], headerSize+32+16, 0))
	bad("genesis with mode 3", KindGenesis, changed(genuine[KindGenesis], headerSize+32+16, 3))
	policy("status in custody 0", func(p *Policy) { p.StatusCustody = 0 })
	policy("status in custody 3", func(p *Policy) { p.StatusCustody = 3 })
	policy("department with mode 3", func(p *Policy) { p.Departments[0].Mode = 3 })
	policy("visitor's bit in roles", func(p *Policy) { p.Departments[0].Roles |= 1 << Visitor })
	policy("enroller's bit in roles", func(p *Policy) { p.Departments[0].Roles |= 1 << Enroller })
	policy("history 2", func(p *Policy) { p.Departments[0].History = 2 })
	policy("mandatory visitor", func(p *Policy) { p.Departments[0].Mandatory = []Mandatory{{Role: Visitor}} })
	policy("mandatory enroller", func(p *Policy) { p.Departments[0].Mandatory = []Mandatory{{Role: Enroller}} })
	policy("issuer with alg 0", func(p *Policy) { p.Issuers = []Issuer{{Name: "a"}} })
	policy("issuer with alg 3", func(p *Policy) { p.Issuers = []Issuer{{Algorithm: 3, Name: "a"}} })
	flags := plain(w.newPolicyRaw(func(*Policy) {}))
	const afterMode = 2 + 1 + 1 + 1 + 2 + 2 + 1 + 64 // from roles to the end, without mandatory lines
	bad("takeover 2", KindPolicy, changed(flags, len(flags)-afterMode+2, 2))
	bad("keep_dept 255", KindPolicy, changed(flags, len(flags)-afterMode+3, 255))
	bad("log_required 2", KindPolicy, changed(flags, headerSize+32+32+4+8+1+32+32+1+2, 2))
	bad("certificate of a visitor", KindCertificate, named(func(x *Certificate) { x.Kind = Visitor }))
	bad("certificate of kind 10", KindCertificate, named(func(x *Certificate) { x.Kind = 10 }))
	bad("certificate in custody 3", KindCertificate, named(func(x *Certificate) { x.Custody = 3 }))
	bad("rights in a department's certificate", KindCertificate, named(func(x *Certificate) { x.Rights = 1 }))
	bad("right 8", KindCertificate, named(func(x *Certificate) { x.Kind, x.Dept, x.Generation, x.Rights = Enroller, [16]byte{}, 0, 8 }))
	bad("department in an agent's certificate", KindCertificate, named(func(x *Certificate) { x.Kind, x.Generation = Agent, 0 }))
	bad("generation in an agent's certificate", KindCertificate, named(func(x *Certificate) { x.Kind, x.Dept = Agent, [16]byte{} }))
	bad("enrolment of an enroller", KindEnrolment, changed(genuine[KindEnrolment], headerSize+32+16+16+16, Enroller))
	bad("enrolment of a visitor", KindEnrolment, changed(genuine[KindEnrolment], headerSize+32+16+16+16, Visitor))
	bad("wrap of type 0", KindWrap, wrap(func(x *Wrap) { x.Type = 0 }))
	bad("wrap of type 4", KindWrap, wrap(func(x *Wrap) { x.Type = 4 }))
	epoch("reason 6", func(e *Epoch) { e.N, e.Reason = 1, 6 })
	epoch("epoch 0 with a reason", func(e *Epoch) { e.Reason = ReasonMembers })
	epoch("epoch 1 without a reason", func(e *Epoch) { e.N = 1 })
	epoch("accept by nobody", func(e *Epoch) { e.N, e.Reason = 1, ReasonAccept })
	epoch("accept without the reason", func(e *Epoch) { e.N, e.Reason, e.Accept = 1, ReasonMembers, 2 })
	epoch("member of role 0", func(e *Epoch) { e.Members[1].Role = 0 })
	epoch("enroller as a member", func(e *Epoch) { e.Members[1].Role = Enroller })
	event("class 0", func(e *Event) { e.Class = 0 })
	event("class 5", func(e *Event) { e.Class = 5 })
	event("time with milliseconds", func(e *Event) { e.Time++ })
}

// ---- K ----

// certificate makes one that trust does not know yet.
func (w *world) certificate(k [32]byte, edit func(*Certificate), signer ed25519.PrivateKey) []byte {
	w.serial++
	x := &Certificate{
		Org: w.org, Kind: Agent, Custody: Company, Subject: [16]byte{w.serial}, Device: [16]byte{w.serial}, Serial: [16]byte{w.serial},
		Departments: [][16]byte{w.dept}, Name: "Luis", SigKey: k, NotBefore: w.now - Hour, NotAfter: w.now + 13*Day, Issuer: w.issuer.Hash(),
	}
	if edit != nil {
		edit(x)
	}
	Sign(x, w.org, nil, signer)
	return x.Bytes()
}

func (c *cases) keys() {
	w := newWorld(c.t)
	trust := func(name string, rule Refusal, input []byte) *attack {
		a := w.attack()
		a.input = input
		return c.add(name, rule, "trust", a)
	}
	for _, weak := range weakKeys {
		key := [32]byte(unhex(c.t, weak))
		trust("X6: certificate for the key "+weak[:4]+"…"+weak[60:], ErrWeakKey, w.certificate(key, nil, w.enroller))
	}
	trust("X6: status key of small order", ErrWeakKey, w.newPolicy(func(p *Policy) { p.Version, p.StatusKey = 2, [32]byte{1} }).Bytes())
	noPoint := [32]byte{2}
	if CheckPublicKey(noPoint[:]) == nil {
		c.t.Fatal("y = 2 is a point")
	}
	trust("certificate for no point of the curve", ErrWeakKey, w.certificate(noPoint, nil, w.enroller))
	honest := key(c.t, 70)
	trust("an honest certificate", accepted, w.certificate(public(honest), nil, w.enroller))

	p, err := decodePoint(publicOf(honest))
	if err != nil {
		c.t.Fatal(err)
	}
	torsion, err := decodePoint(unhex(c.t, weakKeys[6]))
	if err != nil {
		c.t.Fatal(err)
	}
	mixed := w.certificate([32]byte(p.plus(torsion).encode()), nil, w.enroller)
	trust("a reader takes a key of mixed order", accepted, mixed)
	trust("a server refuses a key of mixed order", ErrMixedOrder, mixed).primeOrder = true

	ana := w.person(20, nil)
	kem := func(edit func(*[KEMPublicKeySize]byte)) []byte {
		k := *ana.keyObject
		edit(&k.KEMKey)
		Sign(&k, w.org, nil, ana.Sign)
		return k.Bytes()
	}
	trust("an honest key object", accepted, ana.keyObject.Bytes())
	trust("ML-KEM coefficient of 4095", ErrBadKEMKey, kem(func(k *[KEMPublicKeySize]byte) { k[0], k[1] = 0xff, k[1]|0x0f }))
	trust("ML-KEM coefficient of 3329", ErrBadKEMKey, kem(func(k *[KEMPublicKeySize]byte) { k[0], k[1] = 0x01, k[1]&0xf0|0x0d }))
	x25519 := func(le string) func(*[KEMPublicKeySize]byte) {
		return func(k *[KEMPublicKeySize]byte) { copy(k[KEMPublicKeySize-32:], unhex(c.t, le)) }
	}
	trust("X25519 part zero", ErrBadKEMKey, kem(x25519(strings.Repeat("00", 32))))
	trust("X25519 part one", ErrBadKEMKey, kem(x25519("01"+strings.Repeat("00", 31))))
	trust("X25519 part p-1", ErrBadKEMKey, kem(x25519("ec"+strings.Repeat("ff", 30)+"7f")))
	trust("X25519 part p", ErrBadKEMKey, kem(x25519("ed"+strings.Repeat("ff", 30)+"7f")))
	trust("X25519 part of order 8", ErrBadKEMKey, kem(x25519("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")))
	trust("X25519 part with its highest bit", ErrBadKEMKey, kem(func(k *[KEMPublicKeySize]byte) { k[KEMPublicKeySize-1] |= 0x80 }))
	trust("an event", ErrBadKind, []byte{1, 3, 0x64, 0x7a})

	// K3, K4, K6
	policy := func(name string, rule Refusal, edit func(*Policy)) {
		trust(name, rule, w.newPolicy(func(p *Policy) { p.Version = 2; edit(p) }).Bytes())
	}
	policy("an honest second policy", accepted, func(*Policy) {})
	other := key(c.t, 71)
	policy("policy of another organisation", ErrWrongOrg, func(p *Policy) { p.Org = [32]byte{1} })
	policy("policy that brings its own root", ErrWrongOrg, func(p *Policy) { p.RootKey = public(other) })
	own := w.newPolicy(func(p *Policy) { p.RootKey = public(other); p.Org = hashOf(p.RootKey[:]) })
	Sign(own, own.Org, nil, other)
	trust("another organisation's own policy", ErrWrongOrg, own.Bytes())
	forged := w.newPolicy(func(p *Policy) { p.Version = 2 })
	Sign(forged, w.org, nil, other)
	trust("policy signed by a stranger", ErrPolicySignature, forged.Bytes())
	Sign(forged, w.org, nil, w.enroller)
	trust("policy signed by an enroller", ErrPolicySignature, forged.Bytes())
	Sign(forged, [32]byte{1}, nil, w.root)
	trust("policy signed for another organisation", ErrPolicySignature, forged.Bytes())
	trust("policy with S plus the group's order", ErrPolicySignature, secondS(w.newPolicy(nil).Bytes()))
	trust("another policy with the same version", ErrPolicyRollback, w.newPolicy(func(p *Policy) { p.Version, p.Time = 1, p.Time+1 }).Bytes())
	policy("min_ver 2", ErrBadPolicy, func(p *Policy) { p.MinVersion = 2 })
	policy("min_ver 0", ErrBadPolicy, func(p *Policy) { p.MinVersion = 0 })
	policy("certificates of no day", ErrBadPolicy, func(p *Policy) { p.MaxCertDays = 0 })
	policy("certificates of 31 days", ErrBadPolicy, func(p *Policy) { p.MaxCertDays = 31 })
	policy("certificates of 15 days in a sealed department", ErrBadPolicy, func(p *Policy) { p.Departments[0].MaxCertDays = 15 })
	policy("certificates of no day in a department", ErrBadPolicy, func(p *Policy) { p.Departments[0].MaxCertDays = 0 })
	policy("certificates of 30 days in an assisted department", accepted, func(p *Policy) {
		p.Departments[0].Mode, p.Departments[0].MaxCertDays = Assisted, 30
	})
	policy("enroller twice", ErrBadPolicy, func(p *Policy) { p.Enrollers = append(p.Enrollers, p.Enrollers[0]) })
	policy("department twice", ErrBadPolicy, func(p *Policy) { p.Departments = append(p.Departments, p.Departments[0]) })
	policy("departments not sorted", ErrBadPolicy, func(p *Policy) {
		second := p.Departments[0]
		second.ID = [16]byte{0x01}
		p.Departments = append(p.Departments, second)
	})
	operator := w.certificate(public(other), func(x *Certificate) {
		x.Kind, x.Custody, x.Rights, x.Issuer, x.Departments = Enroller, Operator, 7, w.org, nil
	}, w.root)
	a := w.attack()
	a.trust = append(slices.Clone(a.trust), operator)
	a.input = w.newPolicy(func(p *Policy) { p.Version, p.Enrollers = 2, append(p.Enrollers, hashOf(operator)) }).Bytes()
	c.add("operator's enroller beside a sealed department", ErrBadPolicy, "trust", a)
}

// secondS adds the group's order to S of the last signature: the other number
// that solves the same equation.
func secondS(object []byte) []byte {
	object = bytes.Clone(object)
	s := littleEndian(object[len(object)-32:])
	s.Add(s, groupOrder)
	little := s.FillBytes(make([]byte, 32))
	slices.Reverse(little)
	copy(object[len(object)-32:], little)
	return object
}

func (c *cases) status() {
	w := newWorld(c.t)
	bare := w.objects[:2] // enroller and policy, no status
	trust := func(name string, rule Refusal, before [][]byte, input []byte) {
		a := w.attack()
		a.trust, a.input = before, input
		c.add(name, rule, "trust", a)
	}
	status := func(name string, rule Refusal, edit func(*Status)) {
		trust(name, rule, bare, w.newStatus(edit).Bytes())
	}
	status("an honest status", accepted, nil)
	trust("status before any policy", ErrPolicyRollback, w.objects[:1], w.newStatus(nil).Bytes())
	status("status of a policy that is kept back", ErrPolicyRollback, func(s *Status) { s.PolicyVersion = 2 })
	status("status of another policy with the same version", ErrPolicyRollback, func(s *Status) { s.PolicyHash[0] ^= 1 })
	status("status of another organisation", ErrWrongOrg, func(s *Status) { s.Org[0] ^= 1 })
	forged := w.newStatus(nil)
	Sign(forged, w.org, nil, w.enroller)
	trust("status signed by an enroller", ErrStatusSignature, bare, forged.Bytes())
	trust("status with one bit turned", ErrStatusSignature, bare, changed(w.newStatus(nil).Bytes(), len(forged.Bytes())-64-1, 1))
	status("status of 24 hours", accepted, func(s *Status) { s.NotAfter = s.IssuedAt + 24*Hour })
	status("status of more than 24 hours", ErrStaleStatus, func(s *Status) { s.NotAfter = s.IssuedAt + 24*Hour + 1 })
	status("status that ends before it begins", ErrStaleStatus, func(s *Status) { s.NotAfter = s.IssuedAt - 1 })
	trust("status older than the one before", ErrStaleStatus, w.objects[:3], w.newStatus(func(s *Status) { s.IssuedAt-- }).Bytes())

	live := func(name string, rule Refusal, edit func(*attack)) {
		a := w.attack()
		edit(&a)
		c.add(name, rule, "live", a)
	}
	live("policy and status hold", accepted, func(*attack) {})
	live("policy below the page's minimum", ErrPolicyRollback, func(a *attack) { a.minPolicy = 2 })
	live("no policy", ErrPolicyRollback, func(a *attack) { a.trust = nil })
	live("no status", ErrStaleStatus, func(a *attack) { a.trust = bare })
	live("status in its last millisecond", accepted, func(a *attack) { a.now += 23 * Hour })
	live("status that has ended", ErrStaleStatus, func(a *attack) { a.now += 23*Hour + 1 })
	live("status issued five minutes ahead", accepted, func(a *attack) { a.now -= 6 * Minute })
	live("status issued more than five minutes ahead", ErrStaleStatus, func(a *attack) { a.now -= 6*Minute + 1 })
}

func (c *cases) certificates() {
	w := newWorld(c.t)
	second := key(c.t, 72)
	enroller := func(edit func(*Certificate), signer ed25519.PrivateKey) [32]byte {
		raw := w.certificate(public(second), func(x *Certificate) {
			x.Kind, x.Rights, x.Issuer, x.Departments, x.NotAfter = Enroller, 7, w.org, nil, w.now+100*Day
			if edit != nil {
				edit(x)
			}
		}, signer)
		w.add(raw)
		return hashOf(raw)
	}
	ana := w.person(20, nil)
	listed := map[string][32]byte{
		"short":    enroller(func(x *Certificate) { x.NotAfter = w.now + 5*Day }, w.root),
		"people":   enroller(func(x *Certificate) { x.Rights = RightDevices }, w.root),
		"services": enroller(func(x *Certificate) { x.Rights = RightServices | RightDepartments }, w.root),
		"long":     enroller(func(x *Certificate) { x.NotAfter = x.NotBefore + 401*Day }, w.root),
		"stranger": enroller(nil, second),
		"ended":    enroller(func(x *Certificate) { x.NotBefore, x.NotAfter = w.now-9*Day, w.now-1 }, w.root),
		"chained":  enroller(func(x *Certificate) { x.Issuer = w.issuer.Hash() }, w.enroller),
		"foreign":  enroller(func(x *Certificate) { x.Org[0] ^= 1 }, w.root),
		"agent":    ana.Owner,
	}
	unlisted := enroller(func(x *Certificate) { x.Title = "unlisted" }, w.root)
	p := w.newPolicy(func(p *Policy) {
		for _, name := range []string{"short", "people", "services", "long", "stranger", "ended", "chained", "foreign", "agent"} {
			p.Enrollers = append(p.Enrollers, listed[name])
		}
	})
	w.policy = p
	w.add(p.Bytes())
	judge := func(name string, rule Refusal, edit func(*Certificate), signer ed25519.PrivateKey, more ...func(*attack)) []byte {
		a := w.attack()
		a.certificate = w.certificate(public(key(c.t, 73)), edit, signer)
		a.trust, a.at = append(slices.Clone(a.trust), a.certificate), w.now
		for _, f := range more {
			f(&a)
		}
		c.add(name, rule, "judge", a)
		return a.certificate
	}
	by := func(name string) func(*Certificate) { return func(x *Certificate) { x.Issuer = listed[name] } }
	judge("an agent's certificate", accepted, nil, w.enroller)
	judge("issuer that nobody knows", ErrBadEnroller, func(x *Certificate) { x.Issuer[0] ^= 1 }, w.enroller)
	judge("certificate signed by the root at once", ErrBadEnroller, func(x *Certificate) { x.Issuer = w.org }, w.root)
	judge("issuer is an agent", ErrBadEnroller, by("agent"), ana.Sign)
	judge("enroller that the root did not sign", ErrBadEnroller, by("stranger"), second)
	judge("enroller certified by an enroller", ErrBadEnroller, by("chained"), second)
	judge("enroller of another organisation", ErrBadEnroller, by("foreign"), second)
	judge("enroller that the policy does not list", ErrBadEnroller, func(x *Certificate) { x.Issuer = unlisted }, second)
	judge("enroller that has ended", ErrBadEnroller, by("ended"), second)
	judge("enroller of 401 days", ErrBadEnroller, by("long"), second)
	judge("enroller of services certifies an agent", ErrBadEnroller, by("services"), second)
	service := func(kind Role, issuer string) func(*Certificate) {
		return func(x *Certificate) { x.Kind, x.Issuer, x.Departments = kind, listed[issuer], nil }
	}
	judge("enroller of people certifies an archive", ErrBadEnroller, service(Archive, "people"), second)
	judge("enroller of people certifies a department", ErrBadEnroller, func(x *Certificate) {
		service(Department, "people")(x)
		x.Dept = w.dept
	}, second)
	judge("enroller of people certifies a supervisor", accepted, service(Supervisor, "people"), second)
	judge("enroller of services certifies a scanner", accepted, service(Scanner, "services"), second)

	judge("certificate that nobody knows", ErrBadCertificate, nil, w.enroller, func(a *attack) { a.trust = w.objects })
	judge("certificate signed by another than its issuer", ErrBadCertificate, nil, second)
	judge("certificate signed by its own device", ErrBadCertificate, nil, key(c.t, 73))
	judge("certificate of another organisation", ErrBadCertificate, func(x *Certificate) { x.Org[0] ^= 1 }, w.enroller)
	judge("enroller's certificate for a member", ErrBadCertificate, func(x *Certificate) { x.Kind, x.Rights = Enroller, 4 }, w.enroller)

	judge("certificate of tomorrow", ErrCertificateTime, func(x *Certificate) { x.NotBefore = w.now + 1 }, w.enroller)
	judge("certificate in its first millisecond", accepted, func(x *Certificate) { x.NotBefore = w.now }, w.enroller)
	judge("certificate in its last millisecond", accepted, func(x *Certificate) { x.NotAfter = w.now }, w.enroller)
	judge("certificate of yesterday", ErrCertificateTime, func(x *Certificate) { x.NotAfter = w.now - 1 }, w.enroller)
	judge("certificate that ends before it begins", ErrCertificateTime, func(x *Certificate) { x.NotAfter = x.NotBefore - 1 }, w.enroller)
	judge("certificate that outlives its issuer", ErrCertificateTime, by("short"), second)
	judge("certificate of 14 days in a sealed department", accepted, func(x *Certificate) { x.NotAfter = x.NotBefore + 14*Day }, w.enroller)
	judge("certificate of more than 14 days in a sealed department", ErrCertificateTime, func(x *Certificate) { x.NotAfter = x.NotBefore + 14*Day + 1 }, w.enroller)
	judge("certificate of more than 30 days", ErrCertificateTime, func(x *Certificate) { x.Departments, x.NotAfter = nil, x.NotBefore+30*Day+1 }, w.enroller)
	department := func(days uint64, more uint64) func(*Certificate) {
		return func(x *Certificate) {
			x.Kind, x.Departments, x.Dept, x.NotAfter = Department, nil, w.dept, x.NotBefore+days*Day+more
		}
	}
	judge("department's certificate of 90 days", accepted, department(90, 0), w.enroller)
	judge("department's certificate of more than 90 days", ErrCertificateTime, department(90, 1), w.enroller)

	live := func(edit func(*Status, [32]byte), on bool) func(*attack) {
		return func(a *attack) {
			a.live = on
			hash := hashOf(a.certificate)
			a.trust = append(a.trust, w.newStatus(func(s *Status) { edit(s, hash) }).Bytes())
		}
	}
	revoke := func(s *Status, hash [32]byte) { s.Revoked = []Revocation{{[32]byte{9}, 0}, {hash, 0}} }
	judge("revoked certificate", ErrRevoked, nil, w.enroller, live(revoke, true))
	later := func(s *Status, hash [32]byte) { s.Revoked = []Revocation{{hash, w.now + 1}} }
	judge("certificate that was revoked later", accepted, nil, w.enroller, live(later, false))
	judge("certificate of a revoked issuer", ErrRevoked, nil, w.enroller, live(func(s *Status, _ [32]byte) { s.Revoked = []Revocation{{w.issuer.Hash(), 0}} }, true))
	generation := func(minimum uint32) func(*Status, [32]byte) {
		return func(s *Status, _ [32]byte) { s.Generations = []Generation{{[16]byte{1}, 9, 0}, {w.dept, minimum, 0}} }
	}
	third := func(x *Certificate) { department(80, 0)(x); x.Generation = 3 }
	judge("generation that has ended", ErrBadDepartmentKey, third, w.enroller, live(generation(4), true))
	afterwards := func(s *Status, _ [32]byte) { s.Generations = []Generation{{w.dept, 4, w.now + 1}} }
	judge("generation that has ended later", accepted, third, w.enroller, live(afterwards, false))
	twice := func(s *Status, _ [32]byte) { s.Generations = []Generation{{w.dept, 4, 0}, {w.dept, 1, 0}} }
	judge("generation below the higher of two minimums", ErrBadDepartmentKey, third, w.enroller, live(twice, true))
	judge("the first generation that counts", accepted, third, w.enroller, live(generation(3), true))

	operator := enroller(func(x *Certificate) { x.Custody = Operator }, w.root)
	// The policy comes first and could not tell.
	late := w.newPolicy(func(p *Policy) { p.Enrollers = append(p.Enrollers, operator) })
	hidden := w.objects[len(w.objects)-1]
	before := w.objects[:len(w.objects)-1]
	a := w.attack()
	a.certificate = w.certificate(public(key(c.t, 73)), func(x *Certificate) { x.Issuer = operator }, second)
	a.trust, a.at = append(slices.Clone(before), late.Bytes(), hidden, a.certificate), w.now
	c.add("operator's enroller that comes after its policy", ErrBadPolicy, "judge", a)

	c.keyObjects(w, ana)
}

func (c *cases) keyObjects(w *world, ana person) {
	judge := func(name string, rule Refusal, signer ed25519.PrivateKey, edit func(*KeyObject), more ...func(*attack)) {
		k := *ana.keyObject
		k.NotBefore, k.NotAfter = w.now-2, w.now+2
		if edit != nil {
			edit(&k)
		}
		Sign(&k, w.org, nil, signer)
		a := w.attack()
		a.certificate, a.input, a.at = ana.certificate.Bytes(), k.Bytes(), w.now
		a.trust = append(slices.Clone(a.trust), a.input)
		for _, f := range more {
			f(&a)
		}
		c.add(name, rule, "judge_key", a)
	}
	x := ana.certificate
	judge("a key object", accepted, ana.Sign, nil)
	judge("key object for all of its certificate's time", accepted, ana.Sign, func(k *KeyObject) { k.NotBefore, k.NotAfter = x.NotBefore, x.NotAfter })
	judge("key object that nobody knows", ErrBadKeyObject, ana.Sign, nil, func(a *attack) { a.trust = w.objects })
	judge("key object of another owner", ErrBadKeyObject, ana.Sign, func(k *KeyObject) { k.Owner[0] ^= 1 })
	judge("key object of another organisation", ErrBadKeyObject, ana.Sign, func(k *KeyObject) { k.Org[0] ^= 1 })
	judge("key object that begins before its certificate", ErrBadKeyObject, ana.Sign, func(k *KeyObject) { k.NotBefore = x.NotBefore - 1 })
	judge("key object that outlives its certificate", ErrBadKeyObject, ana.Sign, func(k *KeyObject) { k.NotAfter = x.NotAfter + 1 })
	judge("key object that ends before it begins", ErrBadKeyObject, ana.Sign, func(k *KeyObject) { k.NotAfter = k.NotBefore - 1 })
	judge("key object of tomorrow", ErrBadKeyObject, ana.Sign, nil, func(a *attack) { a.at = w.now - 3 })
	judge("key object of yesterday", ErrBadKeyObject, ana.Sign, nil, func(a *attack) { a.at = w.now + 3 })
	judge("key object signed by the enroller", ErrBadKeyObject, w.enroller, nil)
}

func (c *cases) enrolment() {
	w := newWorld(c.t)
	inv := Invitation{1, 2, 3}
	device := key(c.t, 74)
	enrol := func(name string, rule Refusal, edit func(*Enrolment), more ...func(*attack)) {
		e := &Enrolment{
			Org: w.org, Invitation: inv.ID(), Subject: [16]byte{1}, Device: [16]byte{2}, Kind: Agent, SigKey: public(device), Time: w.now - Hour,
		}
		if edit != nil {
			edit(e)
		}
		Sign(e, w.org, nil, device)
		a := attack{org: w.org, now: w.now, input: e.Bytes(), mac: inv.MAC(e.Bytes()), invitation: inv.String()}
		for _, f := range more {
			f(&a)
		}
		c.add(name, rule, "enrolment", a)
	}
	enrol("a request", accepted, nil)
	enrol("request without the invitation", ErrBadEnrolment, nil, func(a *attack) { a.mac = Invitation{}.MAC(a.input) })
	enrol("request with one bit of its MAC turned", ErrBadEnrolment, nil, func(a *attack) { a.mac[31] ^= 1 })
	enrol("request for another invitation", ErrBadEnrolment, func(e *Enrolment) { e.Invitation[0] ^= 1 })
	enrol("request for another organisation", ErrBadEnrolment, func(e *Enrolment) { e.Org[0] ^= 1 })
	enrol("request that its key did not sign", ErrBadEnrolment, func(e *Enrolment) { e.SigKey = public(w.root) })
	enrol("request with a key of small order", ErrBadEnrolment, func(e *Enrolment) { e.SigKey = [32]byte{1} })
	enrol("request with another's key put in", ErrBadEnrolment, nil, func(a *attack) {
		a.input = changed(a.input, headerSize+32+16+16+16+1, publicOf(w.root)...)
		a.mac = inv.MAC(a.input)
	})
	enrol("request of nearly 24 hours", accepted, func(e *Enrolment) { e.Time = w.now - 24*Hour + 1 })
	enrol("request of 24 hours", ErrBadEnrolment, func(e *Enrolment) { e.Time = w.now - 24*Hour })
	enrol("request from the future", ErrBadEnrolment, func(e *Enrolment) { e.Time = w.now + 5*Minute + 1 })
	enrol("request with a byte more", ErrTrailing, nil, func(a *attack) { a.input = append(bytes.Clone(a.input), 0) })

	mixed := newMixedKey(c.t, 77)
	e := &Enrolment{Org: w.org, Invitation: inv.ID(), Subject: [16]byte{1}, Device: [16]byte{2}, Kind: Agent, SigKey: mixed.public, Time: w.now - Hour}
	mixed.sign(e, w.org, true)
	c.add("request with a key of mixed order", ErrBadEnrolment, "enrolment", attack{
		org: w.org, now: w.now, input: e.Bytes(), mac: inv.MAC(e.Bytes()), invitation: inv.String(), primeOrder: true,
	})

	// K15
	ana := w.person(20, nil)
	luis := w.person(40, nil)
	real := NewDepartmentKey()
	signing, kem, err := real.Keys()
	if err != nil {
		c.t.Fatal(err)
	}
	x := w.certify(signing, func(x *Certificate) { x.Kind, x.Departments, x.Dept, x.Generation = Department, nil, w.dept, 2 })
	k := &KeyObject{Org: w.org, Owner: x.Hash(), KEMKey: [KEMPublicKeySize]byte(kem.PublicKey().Bytes()), NotBefore: x.NotBefore, NotAfter: x.NotAfter}
	Sign(k, w.org, nil, signing)
	department := func(name string, rule Refusal, of DepartmentKey, certificate *Certificate, to person, edit func(*Wrap)) {
		wrap, err := of.Wrap(certificate, to.keyObject)
		if err != nil {
			c.t.Fatal(err)
		}
		if edit != nil {
			v := new(Wrap)
			if err := Parse(wrap, v); err != nil {
				c.t.Fatal(err)
			}
			edit(v)
			wrap = plain(v)
		}
		keys := Keys{Owner: ana.Owner, Sign: ana.Sign, KEM: map[[32]byte]hpke.PrivateKey{ana.keyObject.Hash(): ana.KEM[ana.keyObject.Hash()]}}
		c.add(name, rule, "department", attack{org: w.org, now: w.now, input: wrap, certificate: x.Bytes(), keyObject: k.Bytes(), member: &keys})
	}
	department("department keys", accepted, real, x, ana, nil)
	department("department keys with another signing key", ErrDepartmentKeyMismatch, DepartmentKey{[32]byte{1}, real.KEM}, x, ana, nil)
	department("department keys with another KEM key", ErrDepartmentKeyMismatch, DepartmentKey{real.Signing, [32]byte{1}}, x, ana, nil)
	department("department keys in the wrong order", ErrDepartmentKeyMismatch, DepartmentKey{real.KEM, real.Signing}, x, ana, nil)
	department("department keys of another generation", ErrWrapOpen, real, w.deptX, ana, nil)
	department("department keys for another device", ErrWrapHash, real, x, luis, nil)
	department("department keys for another device, renamed", ErrWrapOpen, real, x, luis, func(v *Wrap) { v.To = ana.keyObject.Hash() })
	department("department keys for a leaf", ErrWrapHash, real, x, ana, func(v *Wrap) { v.Leaf = 1 })
	department("department keys with a bit turned", ErrWrapOpen, real, x, ana, func(v *Wrap) { v.Ciphertext[0] ^= 1 })
}

// ---- G ----

func (c *cases) genesis() {
	w := newWorld(c.t)
	visitor := key(c.t, 75)
	start := func(name string, rule Refusal, edit func(*Genesis), more ...func(*attack)) *attack {
		g := &Genesis{Org: w.org, Dept: w.dept, Mode: Sealed, PolicyHash: w.policy.Hash(), SigKey: public(visitor), Nonce: [32]byte{5}, Time: w.now}
		if edit != nil {
			edit(g)
		}
		Sign(g, g.Org, nil, visitor)
		a := w.attack()
		a.input, a.live = g.Bytes(), true
		for _, f := range more {
			f(&a)
		}
		return c.add(name, rule, "genesis", a)
	}
	history := func(a *attack) { a.live = false }
	honest := start("a genesis", accepted, nil).input
	start("genesis that is an epoch", ErrBadGenesis, nil, func(a *attack) { a.input = changed(a.input, 1, 2) })
	start("genesis cut", ErrBadGenesis, nil, func(a *attack) { a.input = a.input[:100] })
	start("genesis that its key did not sign", ErrGenesisSignature, func(g *Genesis) { g.SigKey = public(w.root) })
	start("X6: genesis with a key of small order", ErrGenesisSignature, func(g *Genesis) { g.SigKey = [32]byte{1} })
	start("genesis with S plus the group's order", ErrGenesisSignature, nil, func(a *attack) { a.input = secondS(a.input) })
	start("another conversation than was asked for", ErrConversationMismatch, nil, func(a *attack) { a.expect.Conv = &[32]byte{1} })
	conv, dept := hashOf(honest), w.dept
	start("the conversation that was asked for", accepted, nil, func(a *attack) {
		a.expect = Expect{Conv: &conv, Dept: &dept, MinMode: Sealed, Genesis: honest}
	})
	start("genesis of another organisation", ErrGenesisOrg, func(g *Genesis) { g.Org[0] ^= 1 })
	start("policy that nobody knows", ErrGenesisPolicy, func(g *Genesis) { g.PolicyHash[0] ^= 1 })
	newer := w.newPolicy(func(p *Policy) { p.Version = 2 }).Bytes()
	start("policy that was replaced", ErrGenesisPolicy, nil, func(a *attack) { a.trust = append(slices.Clone(a.trust), newer) })
	start("policy that was replaced, in history", accepted, nil, func(a *attack) { a.trust = append(slices.Clone(a.trust), newer) }, history)
	start("department that the policy does not have", ErrWrongDepartment, func(g *Genesis) { g.Dept[1] ^= 1 })
	start("another department than the page's", ErrWrongDepartment, nil, func(a *attack) { a.expect.Dept = &[16]byte{2} })
	start("assisted in a sealed department", ErrModeMismatch, func(g *Genesis) { g.Mode = Assisted })
	assisted := w.newPolicy(func(p *Policy) { p.Version, p.Departments[0].Mode = 2, Assisted })
	weak := func(g *Genesis) { g.PolicyHash, g.Mode = assisted.Hash(), Assisted }
	with := func(a *attack) { a.trust = append(slices.Clone(a.trust), assisted.Bytes()) }
	start("assisted department", accepted, weak, with)
	start("weaker than the page's mode", ErrModeMismatch, weak, with, func(a *attack) { a.expect.MinMode = Sealed })
	start("sealed in an assisted department", ErrModeMismatch, func(g *Genesis) { g.PolicyHash = assisted.Hash() }, with)
	start("genesis of 48 hours", accepted, func(g *Genesis) { g.Time = w.now - 48*Hour })
	start("genesis of more than 48 hours", ErrGenesisAge, func(g *Genesis) { g.Time = w.now - 48*Hour - 1 })
	start("genesis of more than 48 hours, in history", accepted, func(g *Genesis) { g.Time = w.now - 48*Hour - 1 }, history)
	start("genesis from the future", ErrGenesisAge, func(g *Genesis) { g.Time = w.now + 5*Minute + 1 })
	start("genesis that was made anew", ErrNotMyGenesis, func(g *Genesis) { g.Nonce[0] ^= 1 }, func(a *attack) { a.expect.Genesis = honest })
	c.mixed(w)
	start("genesis that was seen with another hash", ErrFork, nil, func(a *attack) { a.expect.Kept = &Kept{Log: [32]byte{1}} })
}
