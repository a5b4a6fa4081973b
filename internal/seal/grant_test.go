package seal

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"testing"
)

// grant is the agent's grant of epoch 1 to leaf 3, changed by edit and signed
// by anybody; nobody can open it.
func (k *talk) grant(signer ed25519.PrivateKey, edit func(*Grant)) []byte {
	k.serial++
	g := &Grant{
		Conv: k.visitor.Conv(), Epoch: k.visitor.Epoch().Hash(), From: 1, To: 1, ToLeaf: 3, Author: 2,
		SeenSeq: k.visitor.Seq(), SeenLog: k.visitor.Log(), Time: k.now, Enc: [KEMEncSize]byte{k.serial},
	}
	if edit != nil {
		edit(g)
	}
	if g.Ciphertext == nil {
		g.Ciphertext = bytes.Repeat([]byte{k.serial}, 32*max(1, g.epochs())+wrapOverhead)
	}
	Sign(g, k.org, nil, signer)
	return g.Bytes()
}

func (c *cases) grants() {
	w := newWorld(c.t)
	ana, luis := w.person(20, nil), w.person(40, nil)
	tablet := w.person(21, func(x *Certificate) { x.Subject = ana.certificate.Subject })
	bot := w.person(42, func(x *Certificate) { x.Kind, x.Departments = Bot, nil })
	k := w.talk()
	agent := k.accept(ana)
	takes := func(entry []byte, wraps [][]byte, err error) {
		k.post(entry, wraps, err)
		if _, err := agent.Take(entry, wraps, w.now, true); err != nil {
			c.t.Fatal(err)
		}
	}
	hello, err := k.visitor.Say(text("antes de Luis"), w.now)
	takes(hello, nil, err)
	both, set, _ := k.authored(plus(bot.member(5)), nil, nil, k.visits())
	takes(both, set, nil)
	both, set, _ = k.authored(by(2, plus(luis.member(6), tablet.member(7)), func(e *Epoch) { e.Time += Minute }), nil, nil, ana.Sign)
	takes(both, set, nil)
	after, err := k.visitor.Say(text("con Luis"), w.now)
	takes(after, nil, err)
	const colleague, device = 6, 7

	entry := func(name string, rule Refusal, signer ed25519.PrivateKey, edit func(*Grant)) *attack {
		a := k.attack()
		a.input = k.grant(signer, func(g *Grant) {
			g.ToLeaf = colleague
			if edit != nil {
				edit(g)
			}
		})
		if rule.Rule != "" {
			a.then = k.grant(ana.Sign, func(g *Grant) { g.ToLeaf = colleague })
		}
		return c.add(name, rule, "entry", a)
	}
	entry("a grant to a colleague", accepted, ana.Sign, nil)
	entry("a grant of several epochs", accepted, ana.Sign, func(g *Grant) { g.To = 3 })
	entry("a grant to one's other device", accepted, ana.Sign, func(g *Grant) { g.ToLeaf = device })
	entry("the visitor's grant", accepted, k.visits(), func(g *Grant) { g.Author, g.From = 0, 0 })
	entry("a grant that has seen less", accepted, ana.Sign, func(g *Grant) { g.SeenSeq, g.SeenLog = 0, LogStart(g.Conv) })

	// R1
	a := k.attack()
	a.then = k.grant(ana.Sign, func(g *Grant) { g.ToLeaf = colleague })
	a.input = append(bytes.Clone(a.then), 0)
	c.add("grant with a byte more", ErrBadGrant, "entry", a)
	a.input = a.then[:len(a.then)-1]
	c.add("grant with a byte less", ErrBadGrant, "entry", a)
	const fromAt = headerSize + 32 + 32
	a.input = changed(a.then, fromAt, 0, 0, 0, 2)
	c.add("grant from an epoch after its last", ErrBadGrant, "entry", a)

	// R2
	entry("grant of another conversation", ErrGrantStale, ana.Sign, func(g *Grant) { g.Conv[0] ^= 1 })
	entry("grant made in the epoch before", ErrGrantStale, ana.Sign, func(g *Grant) { g.Epoch = k.visitor.Transcript.epochs[2].Hash() })

	// R3
	entry("grant of an epoch in which the author was no member", ErrGrantRight, ana.Sign, func(g *Grant) { g.From = 0 })
	entry("a newcomer's grant of what it was not there for", ErrGrantRight, luis.Sign, func(g *Grant) { g.Author, g.ToLeaf, g.To = colleague, device, 3 })
	entry("a newcomer's grant of what it was there for", accepted, luis.Sign, func(g *Grant) { g.Author, g.ToLeaf, g.From, g.To = colleague, device, 3, 3 })
	entry("grant of an epoch that has not begun", ErrGrantRight, ana.Sign, func(g *Grant) { g.To = 4 })
	entry("grant of epochs until the last number", ErrGrantRight, ana.Sign, func(g *Grant) {
		g.To, g.Ciphertext = 1<<32-1, make([]byte, 48)
	})
	entry("grant by nobody", ErrGrantRight, ana.Sign, func(g *Grant) { g.Author = 9 })
	entry("grant by who has left", ErrGrantRight, w.deptKeys.Sign, func(g *Grant) { g.Author, g.From, g.To = 1, 0, 0 })
	entry("grant to nobody", ErrGrantRight, ana.Sign, func(g *Grant) { g.ToLeaf = 9 })
	entry("grant to oneself", ErrGrantRight, ana.Sign, func(g *Grant) { g.ToLeaf = 2 })
	entry("grant to the visitor", ErrGrantRight, ana.Sign, func(g *Grant) { g.ToLeaf = 0 })
	entry("grant to a bot", ErrGrantRight, ana.Sign, func(g *Grant) { g.ToLeaf = 5 })
	entry("grant by a bot", ErrGrantRight, bot.Sign, func(g *Grant) { g.Author, g.From, g.To = 5, 2, 2 })
	since := k.visitor.Epoch().Time + 500
	for name, owner := range map[string][32]byte{"author": ana.Owner, "recipient": luis.Owner} {
		revoked := entry("grant whose "+name+" is revoked", ErrGrantRight, ana.Sign, nil)
		revoked.now, revoked.then = since+500, nil
		revoked.trust = append(revoked.trust, w.newStatus(func(s *Status) { s.Revoked = []Revocation{{owner, since}} }).Bytes())
	}
	slices.SortFunc(c.all[len(c.all)-2:], func(a, b *attack) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })

	// R5, R6, R8
	entry("grant that has seen itself", ErrGrantLog, ana.Sign, func(g *Grant) { g.SeenSeq++ })
	entry("grant that has seen another log", ErrGrantLog, ana.Sign, func(g *Grant) { g.SeenLog[0] ^= 1 })
	entry("grant that a colleague signed", ErrGrantSignature, luis.Sign, nil)
	entry("grant that the visitor signed", ErrGrantSignature, k.visits(), nil)
	a.input = secondS(a.then)
	c.add("grant with S plus the group's order", ErrGrantSignature, "entry", a)
	a.input = changed(a.then, headerSize+32+32+16+8+32+8, a.then[headerSize+32+32+16+8+32+8]^1)
	c.add("grant with a bit of its key turned", ErrGrantSignature, "entry", a)
	entry("grant with a secret less than epochs", ErrGrantLength, ana.Sign, func(g *Grant) { g.To, g.Ciphertext = 3, make([]byte, 2*32+wrapOverhead) })
	entry("grant with a secret more than epochs", ErrGrantLength, ana.Sign, func(g *Grant) { g.Ciphertext = make([]byte, 2*32+wrapOverhead) })
	entry("grant with a byte of a secret more", ErrGrantLength, ana.Sign, func(g *Grant) { g.Ciphertext = make([]byte, 33+wrapOverhead) })

	c.granted(k, agent, luis, tablet)

	// R10, S8
	once := k.grant(ana.Sign, func(g *Grant) { g.ToLeaf = colleague })
	k.post(once, nil, nil)
	again := k.attack()
	again.input, again.then = once, k.event(k.visits(), nil)
	c.add("a grant again", ErrDuplicateGrant, "entry", again)
	k.post(k.event(k.visits(), func(e *Event) { e.Class = ClassClose }), nil, nil)
	closed := k.attack()
	closed.input, closed.then = k.grant(ana.Sign, func(g *Grant) { g.ToLeaf = colleague }), k.right()
	c.add("grant after the close", ErrClosed, "entry", closed)

	// R4: the policy gives newcomers nothing, but a person's own device.
	v := newWorld(c.t)
	v.change(func(d *DepartmentPolicy) { d.History = 0 })
	eva, leo := v.person(20, nil), v.person(40, nil)
	phone := v.person(21, func(x *Certificate) { x.Subject = eva.certificate.Subject })
	quiet := v.talk()
	quiet.accept(eva)
	quiet.post(quiet.forge(by(2, plus(leo.member(3), phone.member(4))), eva.Sign), nil, nil)
	policy := func(name string, rule Refusal, signer ed25519.PrivateKey, edit func(*Grant)) {
		a := quiet.attack()
		a.input = quiet.grant(signer, edit)
		if rule.Rule != "" {
			a.then = quiet.event(quiet.visits(), nil)
		}
		c.add(name, rule, "entry", a)
	}
	policy("grant to a colleague where history begins now", ErrGrantPolicy, eva.Sign, nil)
	policy("the visitor's grant where history begins now", ErrGrantPolicy, quiet.visits(), func(g *Grant) { g.Author, g.From = 0, 0 })
	policy("grant to one's other device where history begins now", accepted, eva.Sign, func(g *Grant) { g.ToLeaf = 4 })
}

// granted has grants that open, and those whose content is false (R7, R9).
func (c *cases) granted(k *talk, agent *Seat, luis, tablet person) {
	earlier := text("antes de Luis")
	open := func(name string, rule Refusal, keys Keys, input []byte, gives *Payload) {
		a := k.attack()
		a.member, a.input, a.wraps, a.payload = &keys, input, k.wraps, gives
		c.add(name, rule, "grant", a)
	}
	give := func(to uint16, from, last uint32) []byte {
		raw, err := agent.Give(to, from, last, k.now)
		if err != nil {
			c.t.Fatal(err)
		}
		return raw
	}
	open("a grant opens, and what was said before", accepted, luis.Keys, give(6, 1, 2), &earlier)
	open("a grant opens for one's other device", accepted, tablet.Keys, give(7, 1, 3), &earlier)
	open("a grant to somebody else gives nothing", accepted, tablet.Keys, give(6, 1, 2), nil)
	forged := func(name string, rule Refusal, edit func(g *Grant, secrets, info *[]byte)) {
		last := k.visitor.Epoch()
		g := &Grant{
			Conv: k.visitor.Conv(), Epoch: last.Hash(), From: 1, To: 2, ToLeaf: 6, Author: 2,
			SeenSeq: k.visitor.Seq(), SeenLog: k.visitor.Log(), Time: k.now, Ciphertext: make([]byte, 64+wrapOverhead),
		}
		encode(g)
		one, two := agent.secret(1).es, agent.secret(2).es
		secrets, info := slices.Concat(one[:], two[:]), g.info()
		edit(g, &secrets, &info)
		enc, ct, err := WrapSecret(secrets, k.trust.KeyObject(luis.keyObject.Hash()).KEMKey[:], info)
		if err != nil {
			c.t.Fatal(err)
		}
		g.Enc, g.Ciphertext = [KEMEncSize]byte(enc), ct
		Sign(g, k.org, nil, agent.keys.Sign)
		open(name, rule, luis.Keys, g.Bytes(), nil)
	}
	forged("grant with the info of another", ErrGrantOpen, func(_ *Grant, _, info *[]byte) { (*info)[len(*info)-1] ^= 1 })
	forged("grant with the info of a wrap", ErrGrantOpen, func(_ *Grant, _, info *[]byte) { *info = wrapInfo(k.visitor.Epoch().CoreHash(), 6) })
	forged("grant that says another time than it is bound to", ErrGrantOpen, func(g *Grant, _, _ *[]byte) { g.Time++ })
	forged("grant with a false secret", ErrGrantCommit, func(_ *Grant, secrets, _ *[]byte) { (*secrets)[0] ^= 1 })
	forged("grant whose last secret is false", ErrGrantCommit, func(_ *Grant, secrets, _ *[]byte) { (*secrets)[63] ^= 1 })
	forged("grant with its secrets in another order", ErrGrantCommit, func(_ *Grant, secrets, _ *[]byte) {
		*secrets = slices.Concat((*secrets)[32:], (*secrets)[:32])
	})
}

// A colleague who comes later reads what was said before by a grant, and not
// without; a grant with one false secret gives nothing of the others [R9].
func TestSeat_Grant(t *testing.T) {
	s := tell(t)
	transcript, err := NewTranscript(s.trust, s.entries[0], Expect{}, s.now, false)
	if err != nil {
		t.Fatal(err)
	}
	late := NewSeat(transcript, s.luis.Keys)
	var before, by []string
	for _, entry := range s.entries[1:] {
		line, err := late.Take(entry, s.wraps, s.now, false)
		if err != nil {
			t.Fatal(err)
		}
		if line.Grant != nil && line.Hidden != nil {
			t.Errorf("the grant does not open: %v", line.Hidden)
		}
		if line.Event != nil && line.Payload == nil {
			refused(t, "reading what was said before", line.Hidden, ErrLocked)
			before = append(before, "hidden")
		}
		for _, earlier := range line.Again {
			if earlier.Payload == nil {
				t.Errorf("entry %d stays closed: %v", earlier.Seq, earlier.Hidden)
				continue
			}
			by = append(by, earlier.Payload.Text)
		}
	}
	if len(before) != 3 || !slices.Equal(by, []string{"¿quién es?", "Ana"}) {
		t.Errorf("%d were hidden, the grant opens %q", len(before), by)
	}
	if _, err := late.Give(2, 0, 0, s.now); err == nil {
		t.Error("a grant of what is locked is made")
	}
	refused(t, "a grant of epochs that are not there", func() error { _, err := late.Give(2, 0, 99, s.now); return err }(), ErrGrantRight)
	// Nothing is granted on: who was not there gives nothing of then.
	on, err := late.Give(2, 1, 1, s.now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.visitor.fork().Append(on, s.now, true)
	refused(t, "a grant of what was granted", err, ErrGrantRight)
}

// Another device of a person is announced as such only when a device of the
// same person that was there before brings it in [K18].
func TestAppend_SecondDevice(t *testing.T) {
	w := newWorld(t)
	ana, luis := w.person(20, nil), w.person(40, nil)
	of := func(seed byte) person {
		return w.person(seed, func(x *Certificate) { x.Subject = ana.certificate.Subject })
	}
	tablet, phone, third := of(21), of(22), of(23)
	k := w.talk()
	announces := func(what string, entry []byte, leaves ...uint16) {
		t.Helper()
		step, err := k.visitor.Append(entry, w.now, false)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if !slices.Equal(step.Second, leaves) {
			t.Errorf("%s: %v, not %v", what, step.Second, leaves)
		}
	}
	announces("two devices accept at once", k.forge(func(e *Epoch) {
		e.Author, e.Accept, e.Reason = 1, 2, ReasonAccept
		e.Members = append(e.Members[:1], ana.member(2), tablet.member(3))
	}, w.deptKeys.Sign, ana.Sign))
	announces("a device and a colleague", k.forge(by(3, plus(phone.member(4), luis.member(5))), tablet.Sign), 4)
	announces("a colleague brings a device", k.forge(by(5, plus(third.member(6))), luis.Sign))
	announces("nobody comes", k.forge(nil))
}
