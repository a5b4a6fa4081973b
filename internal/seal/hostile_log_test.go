package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"fmt"
	"slices"
)

// attack begins a case on the log as it stands.
func (k *talk) attack() attack {
	a := k.world.attack()
	a.log, a.live = k.entries, true
	return a
}

func (k *talk) visits() ed25519.PrivateKey { return k.visitor.keys.Sign }

// next is the visitor's rekey with the same members, before it is signed. It
// stands two minutes later, so that E27 has nothing to say.
func (k *talk) next() *Epoch {
	last, policy := k.visitor.Epoch(), k.trust.Policy()
	return &Epoch{
		Conv: k.visitor.Conv(), N: last.N + 1, Prev: last.Hash(), SeenSeq: k.visitor.Seq(), SeenLog: k.visitor.Log(),
		Time: last.Time + 2*Minute, Accept: NoAccept, Reason: ReasonRekey,
		PolicyVersion: policy.Version, PolicyHash: policy.Hash(), Members: slices.Clone(last.Members),
		Commitment: hashOf([]byte("commitment")),
	}
}

// forge is next, changed by edit and signed by anybody. Nobody can open it, and
// no transcript tries.
func (k *talk) forge(edit func(*Epoch), signers ...ed25519.PrivateKey) []byte {
	e := k.next()
	if edit != nil {
		edit(e)
	}
	if e.WrapHashes == nil {
		for i := range e.Members {
			e.WrapHashes = append(e.WrapHashes, hashOf([]byte{byte(i)}))
		}
	}
	if signers == nil {
		signers = []ed25519.PrivateKey{k.visits()}
	}
	Sign(e, k.org, nil, signers...)
	return e.Bytes()
}

// right is an epoch that the log takes next.
func (k *talk) right() []byte {
	return k.forge(func(e *Epoch) {
		if k.visitor.Closed() {
			e.Reason = ReasonReopen
		}
	})
}

func (k *talk) prefix(n uint32) []byte {
	conv, hash := k.visitor.Conv(), k.visitor.Transcript.epochs[n].Hash()
	return append(conv[:], hash[:]...)
}

// event is one of the visitor, changed by edit and signed by anybody; nobody
// can open it.
func (k *talk) event(signer ed25519.PrivateKey, edit func(*Event)) []byte {
	k.serial++
	last := k.visitor.Epoch()
	e := &Event{
		N: last.N, Class: ClassMessage, MessageID: [16]byte{0xee, k.serial}, SeenSeq: k.visitor.Seq(), SeenLog: k.visitor.Log(),
		Time: k.now, Ciphertext: bytes.Repeat([]byte{k.serial}, 80),
	}
	if edit != nil {
		edit(e)
	}
	Sign(e, k.org, k.prefix(min(e.N, last.N)), signer)
	return e.Bytes()
}

// accept lets a person in by the department's keys.
func (k *talk) accept(p person) *Seat {
	k.t.Helper()
	agent := k.seat(p.Keys, k.deptKeys)
	epoch, wraps, err := agent.Accept(p.keyObject.Hash(), k.now)
	k.post(epoch, wraps, err)
	if _, err := agent.Take(epoch, wraps, k.now, true); err != nil {
		k.t.Fatal(err)
	}
	return agent
}

// keyFor makes another key object of a person.
func (w *world) keyFor(k Keys, notBefore, notAfter uint64) *KeyObject {
	w.t.Helper()
	o, err := k.NewKeyObject(w.trust, notBefore, notAfter)
	if err != nil {
		w.t.Fatal(err)
	}
	w.objects = append(w.objects, o.Bytes())
	return o
}

// entry adds a case for the epoch that edit makes of the next one.
func (c *cases) entry(k *talk, name string, rule Refusal, edit func(*Epoch), signers ...ed25519.PrivateKey) *attack {
	a := k.attack()
	a.input = k.forge(edit, signers...)
	if rule.Rule != "" {
		a.then = k.right()
	}
	return c.add(name, rule, "entry", a)
}

func plus(more ...Member) func(*Epoch) {
	return func(e *Epoch) { e.Reason, e.Members = ReasonMembers, append(e.Members, more...) }
}

func minus(leaf uint16) func(*Epoch) {
	return func(e *Epoch) {
		e.Reason = ReasonMembers
		e.Members = slices.DeleteFunc(e.Members, func(m Member) bool { return m.Leaf == leaf })
	}
}

// by sets the author after the other changes.
func by(leaf uint16, edits ...func(*Epoch)) func(*Epoch) {
	return func(e *Epoch) {
		for _, edit := range edits {
			edit(e)
		}
		e.Author = leaf
	}
}

func (w *world) deptMember(leaf uint16) Member {
	for o := range w.deptKeys.KEM {
		return Member{leaf, Department, w.deptKeys.Owner, o}
	}
	panic("the department has no key object")
}

// generation makes another generation of the department's keys.
func (w *world) generation(seed byte, number uint32, dept [16]byte) person {
	return w.person(seed, func(x *Certificate) {
		x.Kind, x.Departments, x.Dept, x.Generation, x.Name = Department, nil, dept, number, "support"
	})
}

// ---- E2 to E6 ----

func (c *cases) epochs() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	k := w.talk()
	k.accept(ana)
	entry := func(name string, rule Refusal, edit func(*Epoch), signers ...ed25519.PrivateKey) {
		c.entry(k, name, rule, edit, signers...)
	}
	entry("a rekey", accepted, nil)
	entry("an agent's rekey", accepted, by(2), ana.Sign)
	entry("epoch of another conversation", ErrWrongConversation, func(e *Epoch) { e.Conv[0] ^= 1 })
	entry("epoch that skips one", ErrEpochSkip, func(e *Epoch) { e.N++ })
	entry("epoch with the last one's number", ErrEpochSkip, func(e *Epoch) { e.N-- })
	entry("epoch that follows another", ErrEpochFork, func(e *Epoch) { e.Prev[31] ^= 1 })
	entry("epoch that follows the one before the last", ErrEpochFork, func(e *Epoch) { e.Prev = k.visitor.Transcript.epochs[0].Hash() })
	entry("epoch that has seen itself", ErrEpochLog, func(e *Epoch) { e.SeenSeq++ })
	entry("epoch that has seen another log", ErrEpochLog, func(e *Epoch) { e.SeenLog[0] ^= 1 })
	entry("epoch with the hash of another place", ErrEpochLog, func(e *Epoch) { e.SeenSeq-- })
	entry("epoch that has seen less", accepted, func(e *Epoch) { e.SeenSeq, e.SeenLog = 0, LogStart(e.Conv) })
	a := k.attack()
	a.input, a.then = k.entries[2], k.right()
	c.add("the last epoch again", ErrEpochSkip, "entry", a)
	a.input = k.entries[0]
	c.add("the genesis again", ErrBadKind, "entry", a)
	a.input = append(k.right(), 0)
	c.add("epoch with a byte more", ErrBadEpoch, "entry", a)
	a.input = k.right()[:200]
	c.add("epoch that is cut", ErrBadEpoch, "entry", a)

	other := w.talk()
	a = k.attack()
	a.input, a.then = other.right(), k.right()
	c.add("the right epoch of another conversation", ErrWrongConversation, "entry", a)

	for name, edit := range map[string]func(*attack){
		"status has ended":          func(a *attack) { a.now += 24 * Hour },
		"status is from the future": func(a *attack) { a.now -= 10 * Minute },
		"status is not known":       func(a *attack) { a.trust = slices.Delete(slices.Clone(a.trust), 2, 3) },
		"policy below the page's":   func(a *attack) { a.minPolicy = 9 },
	} {
		a := k.attack()
		a.input = k.right()
		edit(&a)
		rule := ErrStaleStatus
		if a.minPolicy > 0 {
			rule = ErrPolicyRollback
		}
		c.add("live epoch while the "+name, rule, "entry", a)
		a.live = false
		if a.now >= w.now {
			c.add("epoch of history while the "+name, accepted, "entry", a)
		}
	}
	slices.SortStableFunc(c.all[len(c.all)-7:], func(a, b *attack) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })

	entry("author's signature of another", ErrEpochSignature, nil, ana.Sign)
	entry("agent's epoch that the visitor signed", ErrEpochSignature, by(2))
	a = k.attack()
	a.then = k.right()
	a.input = secondS(k.right())
	c.add("signature with S plus the group's order", ErrEpochSignature, "entry", a)
	e := k.next()
	e.WrapHashes = make([][32]byte, len(e.Members))
	Sign(e, [32]byte{1}, nil, k.visits())
	a.input = e.Bytes()
	c.add("epoch signed for another organisation", ErrEpochSignature, "entry", a)

	entry("policy that nobody knows", ErrEpochPolicy, func(e *Epoch) { e.PolicyHash[0] ^= 1 })
	entry("policy with another version than named", ErrEpochPolicy, func(e *Epoch) { e.PolicyVersion++ })
	entry("notes before there are notes", ErrNotesChanged, func(e *Epoch) { e.NotesID[0] = 1 })
	entry("log_root before there is a key log", ErrNotesChanged, func(e *Epoch) { e.LogRoot[0] = 1 })
	entry("X1: no wrap for me in the list", ErrWrapCount, func(e *Epoch) { e.WrapHashes = make([][32]byte, len(e.Members)-1) })
	entry("no wrap at all", ErrWrapCount, func(e *Epoch) { e.WrapHashes = [][32]byte{} })
	entry("one wrap more than members", ErrWrapCount, func(e *Epoch) { e.WrapHashes = make([][32]byte, len(e.Members)+1) })

	older := w.policy
	next := k.forge(nil)
	w.change(func(*DepartmentPolicy) {})
	for _, after := range []uint64{4, 6} {
		a := k.attack()
		a.input, a.live, a.now = next, true, w.now+after*Minute
		rule := accepted
		if after*Minute > clockSkew {
			rule = ErrEpochPolicy
		}
		c.add(fmt.Sprintf("policy before the newest, which is %d minutes old", after), rule, "entry", a)
	}
	w.now += 2 * Minute
	k.post(k.forge(nil), nil, nil)
	c.entry(k, "policy older than the last epoch's", ErrEpochPolicy, func(e *Epoch) {
		e.PolicyVersion, e.PolicyHash = older.Version, older.Hash()
	})
}

// ---- E7 to E17 ----

func (c *cases) rosters() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	luis := w.person(40, nil)
	eva := w.person(60, func(x *Certificate) { x.Kind = Supervisor })
	k := w.talk()
	k.accept(ana)
	entry := func(name string, rule Refusal, edit func(*Epoch), signers ...ed25519.PrivateKey) *attack {
		return c.entry(k, name, rule, edit, signers...)
	}
	anas := ana.Sign
	entry("transfer: an agent adds another", accepted, by(2, plus(luis.member(3))), anas)
	entry("transfer: an agent adds another and leaves", accepted, by(2, plus(luis.member(3)), minus(2)), anas)
	entry("an agent adds a supervisor", accepted, by(2, plus(eva.member(3))), anas)
	entry("the visitor removes the agent", accepted, minus(2))
	entry("the visitor adds the department", accepted, plus(w.deptMember(3)))
	entry("a new leaf need not be the next", accepted, by(2, plus(luis.member(18))), anas)
	entry("a new leaf that burns those below it", ErrLeafReuse, by(2, plus(luis.member(19))), anas)

	// E7
	entry("no members", ErrBadRoster, func(e *Epoch) { e.Members, e.WrapHashes = nil, [][32]byte{} })
	many := func(n uint16) func(*Epoch) {
		return func(e *Epoch) {
			for leaf := uint16(3); leaf <= n; leaf++ {
				e.Members = append(e.Members, Member{leaf, Agent, [32]byte{byte(leaf)}, [32]byte{byte(leaf)}})
			}
		}
	}
	entry("17 members", ErrBadRoster, by(2, many(17)), anas)
	entry("16 members, whom nobody knows", ErrBadMember, by(2, many(16)), anas)
	entry("leaves descend", ErrBadRoster, by(2, plus(luis.member(4), eva.member(3))), anas)
	entry("the visitor last", ErrBadRoster, func(e *Epoch) { slices.Reverse(e.Members) })
	entry("X2: two members with leaf 2", ErrBadRoster, by(2, plus(luis.member(2))), anas)

	// E8
	entry("leaf of a member that left", ErrLeafReuse, by(2, func(e *Epoch) { e.Members = slices.Insert(e.Members, 1, luis.member(1)) }), anas)
	entry("member that left with its old leaf", ErrLeafReuse, func(e *Epoch) { e.Members = slices.Insert(e.Members, 1, w.deptMember(1)) })
	entry("leaf with another's certificate", ErrLeafReuse, by(2, func(e *Epoch) { e.Members[1] = luis.member(2) }), anas)
	entry("the visitor's leaf with a certificate", ErrLeafReuse, by(2, func(e *Epoch) { e.Members[0].Certificate = luis.Owner }), anas)
	entry("leaf 0xffff", ErrLeafReuse, by(2, plus(luis.member(NoAccept))), anas)

	// E9
	twin := w.person(20, func(x *Certificate) { x.Title = "twin" })
	stolen := &KeyObject{Org: w.org, Owner: luis.Owner, KEMKey: ana.keyObject.KEMKey, NotBefore: w.now - Minute, NotAfter: w.now + Day}
	Sign(stolen, w.org, nil, luis.Sign)
	w.add(stolen.Bytes())
	entry("certificate twice", ErrDuplicateMember, by(2, plus(ana.member(3))), anas)
	unknown := Member{3, Agent, [32]byte{1}, luis.keyObject.Hash()}
	again := Member{4, Agent, [32]byte{1}, luis.keyObject.Hash()}
	entry("certificate twice that nobody knows", ErrDuplicateMember, by(2, plus(unknown, again)), anas)
	entry("signing key twice", ErrDuplicateMember, by(2, plus(twin.member(3))), anas)
	entry("KEM key twice", ErrDuplicateMember, by(2, plus(Member{3, Agent, luis.Owner, stolen.Hash()})), anas)
	entry("a second visitor", ErrDuplicateMember, plus(Member{3, Visitor, k.visitor.Conv(), k.visitor.Epoch().Members[0].KeyObject}))
	visitors := w.certify(k.visits(), nil)
	entry("the visitor's signing key for an agent", ErrDuplicateMember, by(2, plus(Member{3, Agent, visitors.Hash(), luis.keyObject.Hash()})), anas)

	// E10
	entry("no visitor", ErrVisitorRule, by(2, func(e *Epoch) { e.Members = e.Members[1:] }), anas)
	entry("the visitor on another leaf", ErrVisitorRule, by(2, func(e *Epoch) {
		e.Members = append(e.Members[1:], Member{3, Visitor, k.visitor.Conv(), e.Members[0].KeyObject})
	}), anas)
	entry("the visitor as an agent", ErrVisitorRule, func(e *Epoch) { e.Members[0].Role = Agent })
	entry("X3: another visitor with an agent's certificate", ErrVisitorRule, by(2, plus(Member{3, Visitor, luis.Owner, luis.keyObject.Hash()}),
		func(e *Epoch) { e.Members = e.Members[1:] }), anas)

	// E11, E12
	older := w.keyFor(ana.Keys, w.now-2*Minute, w.now+10*Day)
	same := w.keyFor(ana.Keys, w.now-Minute, w.now+10*Day)
	newer := w.keyFor(ana.Keys, w.now, w.now+10*Day)
	visitorKeys := k.visitor.keys
	own := w.keyFor(visitorKeys, w.now, w.now+Day)
	key := func(place int, o *KeyObject) func(*Epoch) {
		return func(e *Epoch) { e.Members[place].KeyObject = o.Hash() }
	}
	entry("the visitor changes its own key object", accepted, key(0, own))
	entry("an agent changes its own key object to any that holds", accepted, by(2, key(1, older)), anas)
	entry("the visitor takes an agent's newer key object", accepted, key(1, newer))
	entry("X3: an agent puts its own key object on the visitor's leaf", ErrVisitorRekey, by(2, key(0, same)), anas)
	entry("an agent takes the visitor's newer key object", ErrVisitorRekey, by(2, key(0, own)), anas)
	entry("the visitor takes an agent's older key object", ErrMemberRekey, key(1, older))
	entry("the visitor takes an agent's key object of the same time", ErrMemberRekey, key(1, same))
	entry("the visitor takes a key object that nobody knows", ErrMemberRekey, func(e *Epoch) { e.Members[1].KeyObject[0] ^= 1 })

	// E13, E14
	entry("an agent as a supervisor", ErrRoleMismatch, by(2, plus(Member{3, Supervisor, luis.Owner, luis.keyObject.Hash()})), anas)
	entry("an agent becomes a supervisor", ErrRoleMismatch, func(e *Epoch) { e.Members[1].Role = Supervisor })
	entry("certificate that nobody knows", ErrBadMember, by(2, plus(Member{3, Agent, [32]byte{1}, luis.keyObject.Hash()})), anas)
	entry("key object that nobody knows", ErrBadMember, by(2, plus(Member{3, Agent, luis.Owner, [32]byte{1}})), anas)
	entry("key object of another member", ErrBadMember, by(2, plus(Member{3, Agent, luis.Owner, newer.Hash()})), anas)
	entry("X3: the visitor's leaf with an agent's key object, signed by the visitor", ErrBadMember, key(0, newer))
	future := w.keyFor(luis.Keys, w.now+Hour, w.now+Day)
	entry("key object of later", ErrBadMember, by(2, plus(Member{3, Agent, luis.Owner, future.Hash()})), anas)
	entry("key object of later, in history of then", accepted, by(2, plus(Member{3, Agent, luis.Owner, future.Hash()}), func(e *Epoch) { e.Time = w.now + 2*Hour }), anas).live = false
	long := w.keyFor(visitorKeys, w.now, w.now+400*Day+1)
	entry("a visitor's key object of more than 400 days", ErrBadMember, key(0, long))
	revoked := w.newStatus(func(s *Status) { s.Revoked = []Revocation{{luis.Owner, w.now + 500}} })
	fired := func(a *attack) {
		a.then = nil
		a.now += 1000
		a.trust = append(a.trust, revoked.Bytes())
	}
	fired(entry("revoked member", ErrBadMember, by(2, plus(luis.member(3))), anas))
	past := entry("revoked member in history", accepted, by(2, plus(luis.member(3))), anas)
	past.live, past.then = false, nil
	past.trust = append(past.trust, w.newStatus(func(s *Status) { s.Revoked = []Revocation{{luis.Owner, w.now + Hour}} }).Bytes())
	foreign := w.generation(61, 1, [16]byte{0xd2})
	entry("another department's key", ErrBadMember, plus(foreign.member(3)))
	ended := w.newStatus(func(s *Status) { s.Generations = []Generation{{w.dept, 2, w.now + 500}} })
	old := entry("department's key of a generation that has ended", ErrBadMember, plus(w.deptMember(3)))
	old.trust, old.now = append(old.trust, ended.Bytes()), old.now+1000
	forgedX := w.certify(signingKey(7), nil)
	Sign(forgedX, w.org, nil, anas)
	w.add(forgedX.Bytes())
	entry("member that an agent certified", ErrBadMember, by(2, plus(Member{3, Agent, forgedX.Hash(), luis.keyObject.Hash()})), anas)

	// E15
	services := func(seed byte, kind Role, custody byte) person {
		return w.person(seed, func(x *Certificate) { x.Kind, x.Custody, x.Departments = kind, custody, nil })
	}
	scanner, server := services(80, Scanner, Company), services(81, Server, Company)
	bot, rented := services(82, Bot, Company), services(83, Bot, Operator)
	operated := w.person(84, func(x *Certificate) { x.Custody = Operator })
	entry("role that the policy does not allow", ErrModeViolation, by(2, plus(scanner.member(3))), anas)
	entry("the server in a sealed conversation", ErrModeViolation, by(2, plus(server.member(3))), anas)
	entry("agent in the operator's custody", ErrModeViolation, by(2, plus(operated.member(3))), anas)
	entry("bot in the operator's custody", ErrModeViolation, plus(rented.member(3)))
	entry("the visitor lets a bot in", accepted, plus(bot.member(3)))
	entry("an agent lets a bot in", ErrBotConsent, by(2, plus(bot.member(3))), anas)
	assisted := w.newPolicy(func(p *Policy) { p.Departments[0].Mode = Assisted })
	gone := w.newPolicy(func(p *Policy) { p.Version, p.Departments[0].ID = 3, [16]byte{0xd3} })
	w.add(assisted.Bytes())
	w.add(gone.Bytes())
	entry("policy that made the department assisted", ErrModeViolation, func(e *Epoch) { e.PolicyVersion, e.PolicyHash = 2, assisted.Hash() }).then = nil
	entry("policy without the department", ErrModeViolation, func(e *Epoch) { e.PolicyVersion, e.PolicyHash = 3, gone.Hash() }).then = nil
}

// ---- E18 to E22, S8 ----

func (c *cases) authors() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	luis := w.person(40, nil)
	tablet := w.person(21, func(x *Certificate) { x.Subject = ana.certificate.Subject })
	sales := w.person(41, func(x *Certificate) { x.Departments = [][16]byte{{0xd2}} })
	bot := w.person(42, func(x *Certificate) { x.Kind, x.Departments = Bot, nil })
	k := w.talk()
	dept := w.deptKeys.Sign

	accept := func(leaf uint16, members ...Member) func(*Epoch) {
		return func(e *Epoch) {
			e.Author, e.Accept, e.Reason = 1, leaf, ReasonAccept
			e.Members = append(e.Members[:1], members...)
		}
	}
	c.entry(k, "an agent accepts", accepted, accept(2, ana.member(2)), dept, ana.Sign)
	c.entry(k, "an agent accepts with a second device", accepted, accept(2, ana.member(2), tablet.member(3)), dept, ana.Sign)
	c.entry(k, "the department rekeys", accepted, by(1), dept)
	c.entry(k, "author that is no member", ErrNotAuthor, by(7), ana.Sign)
	c.entry(k, "author that only becomes a member", ErrNotAuthor, by(2, plus(ana.member(2))), ana.Sign)
	c.entry(k, "the visitor adds an agent", ErrAuthorRight, plus(ana.member(2)))
	c.entry(k, "the visitor opens what is open", ErrClosed, func(e *Epoch) { e.Reason = ReasonReopen })
	c.entry(k, "the department adds an agent without an accept", ErrAuthorRight, by(1, plus(ana.member(2))), dept)
	c.entry(k, "the department leaves without an accept", ErrAuthorRight, by(1, minus(1)), dept)
	c.entry(k, "accept by which the department stays", ErrAuthorRight, accept(2, w.deptMember(1), ana.member(2)), dept, ana.Sign)
	c.entry(k, "accept that lets a bot in", ErrBotConsent, accept(2, ana.member(2), bot.member(3)), dept, ana.Sign)
	c.entry(k, "accept that countersigns for nobody new", ErrBadAccept, func(e *Epoch) {
		e.Author, e.Accept, e.Reason = 1, 0, ReasonAccept
	}, dept, k.visits())
	c.entry(k, "accept by a leaf that is not there", ErrBadAccept, accept(9, ana.member(2)), dept, ana.Sign)
	c.entry(k, "accept by a device of another department", ErrBadAccept, accept(2, sales.member(2)), dept, sales.Sign)
	c.entry(k, "accept that adds another person", ErrBadAccept, accept(2, ana.member(2), luis.member(3)), dept, ana.Sign)
	c.entry(k, "accept that the device did not countersign", ErrEpochSignature, accept(2, ana.member(2)), dept, luis.Sign)
	c.entry(k, "accept that the department did not sign", ErrEpochSignature, accept(2, ana.member(2)), ana.Sign, ana.Sign)
	swapped := k.attack()
	whole := k.forge(accept(2, ana.member(2)), dept, ana.Sign)
	at := len(whole) - 128
	swapped.input = slices.Concat(whole[:at], whole[at+64:], whole[at:at+64])
	swapped.then = k.right()
	c.add("signatures in the wrong order", ErrEpochSignature, "entry", swapped)

	k.accept(ana)
	c.entry(k, "author that has left", ErrNotAuthor, by(1), dept)
	c.entry(k, "agent that accepts", ErrBadAccept, func(e *Epoch) {
		e.Author, e.Accept, e.Reason = 2, 3, ReasonAccept
		e.Members = append(e.Members, luis.member(3))
	}, ana.Sign, luis.Sign)
	c.entry(k, "an agent removes the visitor", ErrVisitorRule, by(2, minus(0)), ana.Sign)

	// The department comes back beside the agent.
	k.post(k.forge(plus(w.deptMember(3))), nil, nil)
	second := w.generation(62, 2, w.dept)
	c.entry(k, "takeover that the policy does not allow", ErrAuthorRight, func(e *Epoch) {
		e.Author, e.Accept, e.Reason = 3, 4, ReasonAccept
		e.Members = append(e.Members[:2], luis.member(4))
	}, dept, luis.Sign)
	newerKey := w.keyFor(ana.Keys, w.now, w.now+Day)
	c.entry(k, "the department takes another's newer key object", ErrAuthorRight, by(3, func(e *Epoch) { e.Members[1].KeyObject = newerKey.Hash() }), dept)
	c.entry(k, "an agent leaves and the department's old keys stay", ErrDepartmentStale, by(2, minus(2)), ana.Sign)
	c.entry(k, "the visitor removes the agent and the department's old keys stay", ErrDepartmentStale, minus(2))
	c.entry(k, "the agent leaves with the department", accepted, by(2, minus(2), minus(3)), ana.Sign)
	c.entry(k, "the agent leaves and a newer generation comes", accepted, by(2, minus(2), minus(3), plus(second.member(4))), ana.Sign)

	k.post(k.forge(plus(bot.member(4))), nil, nil)
	botKey := w.keyFor(bot.Keys, w.now, w.now+Day)
	c.entry(k, "a bot rekeys", accepted, by(4), bot.Sign)
	c.entry(k, "a bot changes its own key object", accepted, by(4, func(e *Epoch) { e.Members[3].KeyObject = botKey.Hash() }), bot.Sign)
	c.entry(k, "a bot removes the department", ErrAuthorRight, by(4, minus(3)), bot.Sign)
	c.entry(k, "a bot adds an agent", ErrAuthorRight, by(4, plus(luis.member(5))), bot.Sign)
	c.entry(k, "a bot takes another's newer key object", ErrAuthorRight, by(4, func(e *Epoch) { e.Members[1].KeyObject = newerKey.Hash() }), bot.Sign)

	// S8
	end := k.attack()
	end.input = k.event(ana.Sign, func(e *Event) { e.Leaf, e.Class = 2, ClassClose })
	c.add("an agent closes", accepted, "entry", end)
	k.post(k.event(k.visits(), func(e *Event) { e.Class = ClassClose }), nil, nil)
	c.entry(k, "the visitor reopens", accepted, func(e *Epoch) { e.Reason = ReasonReopen })
	c.entry(k, "the visitor reopens at once", accepted, func(e *Epoch) { e.Reason, e.Time = ReasonReopen, w.now })
	c.entry(k, "rekey after the close", ErrClosed, nil)
	c.entry(k, "new member after the close", ErrClosed, by(2, plus(luis.member(5))), ana.Sign)
	again := func(e *Epoch) { e.Reason = ReasonReopen }
	c.entry(k, "an agent reopens", accepted, by(2, again), ana.Sign)
	c.entry(k, "an agent reopens without the bot and the department", accepted, by(2, minus(4), minus(3), again), ana.Sign)
	c.entry(k, "an agent reopens with a newer key object", accepted, by(2, func(e *Epoch) { e.Members[1].KeyObject = newerKey.Hash() }, again), ana.Sign)
	c.entry(k, "an agent reopens and adds a colleague", ErrAuthorRight, by(2, plus(luis.member(5)), again), ana.Sign)
	c.entry(k, "an agent reopens and calls the department", ErrAuthorRight, by(2, minus(3), plus(second.member(5)), again), ana.Sign)
	c.entry(k, "a bot reopens", ErrClosed, by(4, again), bot.Sign)
	c.entry(k, "the department reopens", ErrClosed, by(3, again), dept)
	c.entry(k, "who has left reopens", ErrClosed, by(1, again), dept)
	c.entry(k, "nobody reopens", ErrClosed, by(9, again), luis.Sign)
	c.entry(k, "the visitor reopens with a newer generation of the department", accepted, func(e *Epoch) {
		minus(3)(e)
		plus(second.member(5))(e)
		again(e)
	})
	for _, class := range []byte{ClassMessage, ClassControl, ClassClose, ClassEpochBad} {
		a := k.attack()
		a.input, a.then = k.event(k.visits(), func(e *Event) { e.Class = class }), k.right()
		c.add("event of class "+string('0'+class)+" after the close", ErrClosed, "entry", a)
	}

	c.keeping()
}

// keeping has a department that stays, that may take over, and an archive.
func (c *cases) keeping() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	luis := w.person(40, nil)
	archive := w.person(43, func(x *Certificate) { x.Kind, x.Departments = Archive, nil })
	scanner := w.person(44, func(x *Certificate) { x.Kind, x.Departments = Scanner, nil })
	dept := w.deptKeys.Sign
	w.change(func(d *DepartmentPolicy) {
		d.Keep, d.Takeover = true, true
		d.Roles |= 1<<Archive | 1<<Scanner
		d.Mandatory = []Mandatory{{Archive, archive.certificate.Subject}, {Scanner, scanner.certificate.Subject}}
	})
	k := w.talk()
	c.entry0(k)
	accept := func(p person, leaf uint16) func(*Epoch) {
		return func(e *Epoch) {
			e.Author, e.Accept, e.Reason = 1, leaf, ReasonAccept
			e.Members = append(e.Members, p.member(leaf))
		}
	}
	c.entry(k, "an agent accepts and the department stays", accepted, accept(ana, 4), dept, ana.Sign)
	c.entry(k, "the visitor removes the archive", ErrMandatoryMissing, minus(2))
	other := w.person(45, func(x *Certificate) { x.Kind, x.Departments = Archive, nil })
	c.entry(k, "accept that adds an archive", ErrAuthorRight, func(e *Epoch) {
		accept(ana, 4)(e)
		e.Members = append(e.Members, other.member(5))
	}, dept, ana.Sign)
	k.post(k.forge(accept(ana, 4), dept, ana.Sign), nil, nil)
	c.entry(k, "takeover that the policy allows", accepted, accept(luis, 5), dept, luis.Sign)
	c.entry(k, "takeover that removes the agent", ErrAuthorRight, func(e *Epoch) { accept(luis, 5)(e); minus(4)(e); e.Reason = ReasonAccept }, dept, luis.Sign)
	newer := w.keyFor(ana.Keys, w.now, w.now+Day)
	c.entry(k, "takeover that changes the agent's key object", ErrAuthorRight, func(e *Epoch) {
		e.Members[4].KeyObject = newer.Hash()
		accept(luis, 5)(e)
	}, dept, luis.Sign)
	c.entry(k, "an agent replaces the archive", ErrMandatoryMissing, by(4, minus(2), plus(other.member(5))), ana.Sign)
	replaced := func(p person) func(*Epoch) {
		return func(e *Epoch) {
			e.Author, e.Accept, e.Reason = 1, 5, ReasonAccept
			e.Members = append(slices.Delete(e.Members, 1, 2), luis.member(5), p.member(6))
		}
	}
	first, second := w.generation(63, 1, w.dept), w.generation(64, 2, w.dept)
	c.entry(k, "accept by which a newer generation comes", accepted, replaced(second), dept, luis.Sign)
	c.entry(k, "accept by which the same generation comes", ErrAuthorRight, replaced(first), dept, luis.Sign)
	c.entry(k, "an archive removes the agent", ErrAuthorRight, by(2, minus(4)), archive.Sign)
	c.entry(k, "a scanner removes the department", ErrAuthorRight, by(3, minus(1)), scanner.Sign)

	sends := func(name string, rule Refusal, leaf uint16, signer ed25519.PrivateKey, class byte) {
		a := k.attack()
		a.input = k.event(signer, func(e *Event) { e.Leaf, e.Class = leaf, class })
		if rule.Rule != "" {
			a.then = k.event(k.visits(), nil)
		}
		c.add(name, rule, "entry", a)
	}
	sends("the department writes", ErrNotSender, 1, dept, ClassMessage)
	sends("the department controls", ErrNotSender, 1, dept, ClassControl)
	sends("the department closes", ErrNotSender, 1, dept, ClassClose)
	sends("the department calls an epoch bad", ErrNotSender, 1, dept, ClassEpochBad)
	sends("an archive writes", ErrNotSender, 2, archive.Sign, ClassMessage)
	sends("an archive controls", ErrNotSender, 2, archive.Sign, ClassControl)
	sends("an archive closes", ErrNotSender, 2, archive.Sign, ClassClose)
	sends("an archive calls an epoch bad", accepted, 2, archive.Sign, ClassEpochBad)
	sends("a scanner writes", ErrNotSender, 3, scanner.Sign, ClassMessage)
	sends("a scanner controls", accepted, 3, scanner.Sign, ClassControl)
	sends("a scanner closes", ErrNotSender, 3, scanner.Sign, ClassClose)

	// In an assisted conversation the server may be a member and agents bring bots.
	v := newWorld(c.t)
	v.change(func(d *DepartmentPolicy) { d.Mode = Assisted })
	eva := v.person(20, nil)
	bot := v.person(42, func(x *Certificate) { x.Kind, x.Custody, x.Departments = Bot, Operator, nil })
	server := v.person(46, func(x *Certificate) { x.Kind, x.Custody, x.Departments = Server, Operator, nil })
	assisted := v.talk()
	assisted.accept(eva)
	c.entry(assisted, "an agent brings bot and server into an assisted conversation", accepted, by(2, plus(bot.member(3), server.member(4))), eva.Sign)
	assisted.post(assisted.forge(by(2, plus(bot.member(3), server.member(4))), eva.Sign), nil, nil)
	k = assisted
	sends("a bot writes", accepted, 3, bot.Sign, ClassMessage)
	sends("a bot closes", ErrNotSender, 3, bot.Sign, ClassClose)
	sends("the server writes", accepted, 4, server.Sign, ClassMessage)
	sends("the server closes", ErrNotSender, 4, server.Sign, ClassClose)
}

// ---- E5, L1 to L3 ----

func (c *cases) kept() {
	w := newWorld(c.t)
	k := w.talk()
	first := k.event(k.visits(), nil)
	other := k.event(k.visits(), nil)
	seq := k.visitor.Seq()
	last := k.visitor.Epoch()
	kept := Kept{Seq: seq + 1, Log: LogNext(k.visitor.Log(), seq+1, first), N: last.N, Epoch: last.Hash()}
	a := k.attack()
	a.expect.Kept, a.input = &kept, first
	c.add("the entry that was seen before", accepted, "entry", a)
	a.input, a.then = other, first
	c.add("another entry at a place that was seen", ErrFork, "entry", a)
	rekey, rival := k.forge(nil), k.forge(func(e *Epoch) { e.Time++ })
	a.input, a.then = rekey, first
	c.add("an epoch at the place of an event that was seen", ErrFork, "entry", a)
	seen := Kept{Seq: seq + 5, Log: [32]byte{1}, N: last.N + 1, Epoch: hashOf(rekey)}
	a.expect.Kept, a.input, a.then = &seen, rekey, nil
	c.add("the epoch that was seen before", accepted, "entry", a)
	a.input, a.then = rival, rekey
	c.add("another epoch with the number of one that was seen", ErrEpochRollback, "entry", a)

	a = k.attack()
	a.expect.Kept = &Kept{Seq: seq, Log: k.visitor.Log(), N: last.N, Epoch: last.Hash()}
	c.add("everything that was seen is here", accepted, "complete", a)
	a.expect.Kept = &kept
	c.add("an entry that was seen is kept back", ErrRollback, "complete", a)
	a.log = k.entries[:1]
	c.add("the log ends at the genesis", ErrRollback, "complete", a)

	// Entries are judged at their place: a gap shows.
	k.post(first, nil, nil)
	next := k.event(k.visits(), nil)
	epoch := k.forge(nil)
	a = k.attack()
	a.log, a.input, a.then = k.entries[:2], next, first
	c.add("event after an entry that is missing", ErrEventLog, "entry", a)
	a.input = epoch
	c.add("epoch after an entry that is missing", ErrEpochLog, "entry", a)
}

// ---- E26 and what else epoch 0 must keep ----

func (c *cases) epoch0() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	k := w.talk()
	zero := c.zero(k)
	zero("epoch 0", accepted, nil)
	zero("epoch 1 first", ErrEpochSkip, func(e *Epoch) { e.N, e.Reason = 1, ReasonRekey })
	zero("epoch 0 that follows another", ErrEpochFork, func(e *Epoch) { e.Prev[0] ^= 1 })
	zero("epoch 0 without the department", ErrBadEpoch0, func(e *Epoch) { e.Members, e.WrapHashes = e.Members[:1], e.WrapHashes[:1] })
	zero("epoch 0 with an agent", ErrBadEpoch0, func(e *Epoch) {
		e.Members, e.WrapHashes = append(e.Members, ana.member(2)), append(e.WrapHashes, [32]byte{})
	})
	zero("epoch 0 with an agent for the department", ErrBadEpoch0, func(e *Epoch) { e.Members[1] = ana.member(1) })
	zero("epoch 0 with another leaf", ErrBadEpoch0, func(e *Epoch) { e.Members[1].Leaf = 2 })
	zero("epoch 0 by the department", ErrNotAuthor, func(e *Epoch) { e.Author = 1 })
	zero("epoch 0 with a certificate on leaf 0", ErrVisitorRule, func(e *Epoch) { e.Members[0].Certificate[0] ^= 1 })
	a := k.attack()
	a.log, a.input = k.entries[:1], k.event(k.visits(), func(e *Event) { e.SeenSeq, e.SeenLog = 0, LogStart(k.visitor.Conv()) })
	a.then = k.entries[1]
	c.add("event before the first epoch", ErrEpochStale, "entry", a)
	w.change(func(*DepartmentPolicy) {})
	zero("epoch 0 with another policy than the genesis", ErrEpochPolicy, func(e *Epoch) {
		e.PolicyVersion, e.PolicyHash = w.policy.Version, w.policy.Hash()
	})
}

// zero adds cases for epoch 0, changed by edit.
func (c *cases) zero(k *talk) func(string, Refusal, func(*Epoch)) {
	return func(name string, rule Refusal, edit func(*Epoch)) {
		e := new(Epoch)
		if err := Parse(k.entries[1], e); err != nil {
			c.t.Fatal(err)
		}
		a := k.attack()
		a.log = k.entries[:1]
		if edit != nil {
			edit(e)
			a.then = k.entries[1]
		}
		Sign(e, k.org, nil, k.visits())
		a.input = e.Bytes()
		c.add(name, rule, "entry", a)
	}
}

// entry0 is epoch 0 where members are mandatory.
func (c *cases) entry0(k *talk) {
	zero := c.zero(k)
	zero("epoch 0 with the mandatory members", accepted, nil)
	zero("epoch 0 without a mandatory member", ErrMandatoryMissing, func(e *Epoch) { e.Members, e.WrapHashes = e.Members[:3], e.WrapHashes[:3] })
	zero("epoch 0 with the mandatory members in another order", ErrBadEpoch0, func(e *Epoch) {
		e.Members[2], e.Members[3] = e.Members[3], e.Members[2]
		e.Members[2].Leaf, e.Members[3].Leaf = 2, 3
	})
}

// ---- E27 ----

func (c *cases) budget() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	k := w.talk()
	k.accept(ana)
	c.entry(k, "the same members after 60 seconds", accepted, func(e *Epoch) { e.Time = w.now + Minute })
	c.entry(k, "the same members within 60 seconds", ErrEpochBudget, func(e *Epoch) { e.Time = w.now + Minute - 1 })
	c.entry(k, "the same members within 60 seconds before", ErrEpochBudget, func(e *Epoch) { e.Time = w.now - Minute + 1 })
	var all []Member
	for i := range byte(7) {
		all = append(all, w.person(100+i, nil).member(uint16(3+i)))
	}
	c.entry(k, "six new members in an hour", accepted, by(2, plus(all[:6]...)), ana.Sign)
	c.entry(k, "seven new members in an hour", ErrEpochBudget, by(2, plus(all...)), ana.Sign)
	more := w.now + 2*Minute
	k.post(k.forge(by(2, plus(all[:6]...), func(e *Epoch) { e.Time = more }), ana.Sign), nil, nil)
	c.entry(k, "the seventh new member of an hour", ErrEpochBudget, by(2, plus(all[6]), func(e *Epoch) { e.Time = more + Hour - 1 }), ana.Sign)
	c.entry(k, "the seventh new member, an hour later", accepted, by(2, plus(all[6]), func(e *Epoch) { e.Time = more + Hour }), ana.Sign)

	r := w.talk()
	for range 20 {
		r.post(r.forge(func(e *Epoch) { e.Time = r.visitor.Epoch().Time + Minute }), nil, nil)
	}
	times := func(at uint64) func(*Epoch) { return func(e *Epoch) { e.Time = at } }
	begin := w.now + Minute // of the first of twenty
	a := c.entry(r, "the 21st epoch of one member in an hour", ErrEpochBudget, times(begin+Hour-1))
	a.then = r.forge(times(begin + Hour))
	c.entry(r, "the 21st epoch, an hour later", accepted, times(begin+Hour))
	c.entry(r, "the 21st epoch, by another member", accepted, by(1), w.deptKeys.Sign)
}

// ---- W, S4 ----

// authored is an epoch whose wraps open, unless tamper changes one before it is
// sealed: it gets the place, the secret and the info, and gives what to use.
func (k *talk) authored(edit func(*Epoch), tamper func(place int, w *Wrap, es *[32]byte, info *[]byte), after func(*Wrap), signers ...ed25519.PrivateKey) (epoch []byte, wraps [][]byte, es [32]byte) {
	k.t.Helper()
	e := k.next()
	if edit != nil {
		edit(e)
	}
	e.WrapHashes = make([][32]byte, len(e.Members))
	encode(e)
	core := e.CoreHash()
	es = hashOf(core[:])
	e.Commitment = Commit(es, core)
	for i, m := range e.Members {
		w := &Wrap{Type: WrapEpoch, Leaf: m.Leaf, To: m.KeyObject}
		secret, info := es, wrapInfo(core, m.Leaf)
		if tamper != nil {
			tamper(i, w, &secret, &info)
		}
		enc, ct, err := WrapSecret(secret[:], k.trust.KeyObject(m.KeyObject).KEMKey[:], info)
		if err != nil {
			k.t.Fatal(err)
		}
		w.Enc, w.Ciphertext = [KEMEncSize]byte(enc), ct
		if after != nil {
			after(w)
		}
		encode(w)
		wraps = append(wraps, w.Bytes())
		e.WrapHashes[i] = w.Hash()
	}
	Sign(e, k.org, nil, signers...)
	return e.Bytes(), wraps, es
}

func (c *cases) wraps() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	luis := w.person(40, nil)
	k := w.talk()
	k.accept(ana)
	epoch, wraps, _ := k.authored(nil, nil, nil, k.visits())
	open := func(name string, rule Refusal, keys Keys, input []byte, wraps [][]byte) *attack {
		a := k.attack()
		a.member, a.input, a.wraps = &keys, input, slices.Concat(k.wraps, wraps)
		return c.add(name, rule, "open", a)
	}
	open("an epoch that opens", accepted, ana.Keys, epoch, wraps)
	open("an epoch that opens for the visitor", accepted, k.visitor.keys, epoch, wraps)
	open("epoch without me", ErrNotMember, luis.Keys, epoch, wraps)
	lost := Keys{Owner: ana.Owner, Sign: ana.Sign, KEM: luis.KEM}
	open("key object that is not mine", ErrNotMember, lost, epoch, wraps)
	withheld := func(name string, wraps [][]byte) {
		open(name, ErrWrapMissing, ana.Keys, epoch, nil).wraps = wraps
	}
	withheld("X1: my wrap is withheld", wraps[:1])
	withheld("X1: all wraps are withheld", nil)
	damaged := [][]byte{wraps[0], wraps[1][:len(wraps[1])-1]}
	withheld("X1: my wrap is cut", damaged)
	open("my wrap with a bit turned", ErrWrapHash, ana.Keys, epoch, [][]byte{changed(wraps[1], len(wraps[1])-1, wraps[1][len(wraps[1])-1]^1)})
	_, fresh, _ := k.authored(func(e *Epoch) { e.Time++ }, nil, nil, k.visits())
	open("my wrap of another epoch", ErrWrapHash, ana.Keys, epoch, fresh)
	mine := func(place int) bool { return place == 1 }
	hostile := func(name string, rule Refusal, tamper func(int, *Wrap, *[32]byte, *[]byte), after func(*Wrap)) {
		input, set, _ := k.authored(nil, tamper, after, k.visits())
		open(name, rule, ana.Keys, input, set)
	}
	hostile("listed wrap for another leaf", ErrWrapHash, func(i int, w *Wrap, _ *[32]byte, _ *[]byte) {
		if mine(i) {
			w.Leaf = 9
		}
	}, nil)
	hostile("listed wrap for another key object", ErrWrapHash, func(i int, w *Wrap, _ *[32]byte, _ *[]byte) {
		if mine(i) {
			w.To[0] ^= 1
		}
	}, nil)
	hostile("listed wrap of a kept secret", ErrWrapHash, func(i int, w *Wrap, _ *[32]byte, _ *[]byte) {
		if mine(i) {
			w.Type = WrapKept
		}
	}, nil)
	hostile("listed wrap with the info of another leaf", ErrWrapOpen, func(i int, _ *Wrap, _ *[32]byte, info *[]byte) {
		if mine(i) {
			(*info)[len(*info)-1]++
		}
	}, nil)
	hostile("listed wrap with the info of another epoch", ErrWrapOpen, func(i int, _ *Wrap, _ *[32]byte, info *[]byte) {
		if mine(i) {
			(*info)[len("asc1 wrap")] ^= 1
		}
	}, nil)
	hostile("listed wrap with a bit of the encapsulated key turned", ErrWrapOpen, nil, func(w *Wrap) { w.Enc[0] ^= 1 })
	hostile("listed wrap with a bit of the X25519 part turned", ErrWrapOpen, nil, func(w *Wrap) { w.Enc[KEMEncSize-1] ^= 1 })
	hostile("listed wrap with a bit of the secret turned", ErrWrapOpen, nil, func(w *Wrap) { w.Ciphertext[0] ^= 1 })
	hostile("another secret for one member", ErrKeyCommit, func(i int, _ *Wrap, es *[32]byte, _ *[]byte) {
		if mine(i) {
			es[31] ^= 1
		}
	}, nil)
	hostile("a secret of zeros", ErrKeyCommit, func(i int, _ *Wrap, es *[32]byte, _ *[]byte) { *es = [32]byte{} }, nil)

	// The department's devices open what is wrapped to the department.
	d := w.talk()
	fromDept, deptWraps, _ := d.authored(nil, nil, nil, d.visits())
	a := d.attack()
	a.member, a.departments, a.input, a.wraps = &ana.Keys, []Keys{w.deptKeys}, fromDept, slices.Concat(d.wraps, deptWraps)
	c.add("an epoch that the department's keys open", accepted, "open", a)
	a.departments = nil
	c.add("a device without the department's keys", ErrNotMember, "open", a)

	set := func(name string, rule Refusal, wraps ...[]byte) {
		c.add(name, rule, "wraps", attack{org: w.org, input: epoch, wraps: wraps})
	}
	set("one wrap for each member", accepted, wraps...)
	set("X1: a wrap less than members", ErrWrapSet, wraps[0])
	set("no wraps", ErrWrapSet)
	set("a wrap more than members", ErrWrapSet, wraps[0], wraps[1], wraps[1])
	set("wraps in the wrong order", ErrWrapSet, wraps[1], wraps[0])
	set("a wrap twice", ErrWrapSet, wraps[0], wraps[0])
	set("a wrap of another epoch", ErrWrapSet, wraps[0], fresh[1])
	set("a wrap that is cut", ErrWrapSet, wraps[0], wraps[1][:100])
	input, odd, _ := k.authored(nil, func(i int, w *Wrap, _ *[32]byte, _ *[]byte) { w.Type = WrapKept }, nil, k.visits())
	c.add("wraps of a kept secret", ErrWrapSet, "wraps", attack{org: w.org, input: input, wraps: odd})
}

// ---- V2 to V7 ----

func (c *cases) events() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	k := w.talk()
	early := k.event(k.visits(), nil)
	k.post(early, nil, nil)
	k.accept(ana)
	began := k.visitor.Seq()
	send := func(name string, rule Refusal, signer ed25519.PrivateKey, edit func(*Event)) *attack {
		a := k.attack()
		a.input = k.event(signer, edit)
		if rule.Rule != "" {
			a.then = k.event(k.visits(), nil)
		}
		return c.add(name, rule, "entry", a)
	}
	late := func(e *Event) { e.N, e.SeenSeq, e.SeenLog = 0, began-1, k.visitor.log[began-1] }
	send("an event", accepted, k.visits(), nil)
	send("an agent's event", accepted, ana.Sign, func(e *Event) { e.Leaf = 2 })
	send("an event that has seen less", accepted, k.visits(), func(e *Event) { e.SeenSeq, e.SeenLog = 0, LogStart(k.visitor.Conv()) })
	send("a late event of the epoch before", accepted, k.visits(), late)
	send("late event that has seen the new epoch", ErrEpochStale, k.visits(), func(e *Event) { e.N = 0 })
	send("late event of a member that has left", ErrEpochStale, w.deptKeys.Sign, func(e *Event) { late(e); e.Leaf, e.Class = 1, ClassControl })
	send("late event of a member that was not there", ErrEpochStale, ana.Sign, func(e *Event) { late(e); e.Leaf = 2 })
	send("event of an epoch that has not begun", ErrEpochStale, k.visits(), func(e *Event) { e.N++ })
	send("event of epoch 2^32-1", ErrEpochStale, k.visits(), func(e *Event) { e.N = 1<<32 - 1 })
	send("event of a leaf that nobody has", ErrNotSender, k.visits(), func(e *Event) { e.Leaf = 9 })
	send("event of a leaf that has left", ErrNotSender, w.deptKeys.Sign, func(e *Event) { e.Leaf, e.Class = 1, ClassControl })
	revoked := w.newStatus(func(s *Status) { s.Revoked = []Revocation{{ana.Owner, w.now + 500}} }).Bytes()
	fired := send("event of a revoked sender", ErrSenderRevoked, ana.Sign, func(e *Event) { e.Leaf = 2 })
	fired.trust, fired.now = append(fired.trust, revoked), fired.now+1000
	before := send("event of a sender that was revoked later", accepted, ana.Sign, func(e *Event) { e.Leaf = 2 })
	before.trust, before.live = append(before.trust, revoked), false
	office := w.newStatus(func(s *Status) { s.Revoked = []Revocation{{w.issuer.Hash(), w.now + 500}} }).Bytes()
	closed := send("event of a sender whose issuer is revoked", ErrSenderRevoked, ana.Sign, func(e *Event) { e.Leaf = 2 })
	closed.trust, closed.now = append(closed.trust, office), closed.now+1000

	first := k.event(k.visits(), nil)
	k.post(first, nil, nil)
	again := k.attack()
	again.input, again.then = first, k.event(k.visits(), nil)
	c.add("an event again", ErrDuplicateEvent, "entry", again)
	again.input = early
	c.add("an event of the epoch before again", ErrDuplicateEvent, "entry", again)
	id := k.visitor.messages
	var known [16]byte
	for one := range id {
		if one[0] == 0 && one[1] == 0 {
			known = [16]byte(one[2:])
		}
	}
	send("X4: a msg_id again with another body", ErrDuplicateEvent, k.visits(), func(e *Event) { e.MessageID = known })
	send("another member's msg_id", accepted, ana.Sign, func(e *Event) { e.Leaf, e.MessageID = 2, known })
	send("event that has seen itself", ErrEventLog, k.visits(), func(e *Event) { e.SeenSeq++ })
	send("event that has seen what is not there", ErrEventLog, k.visits(), func(e *Event) { e.SeenSeq = 1<<53 - 1 })
	send("event that has seen another log", ErrEventLog, k.visits(), func(e *Event) { e.SeenLog[0] ^= 1 })
	send("event with the hash of another place", ErrEventLog, k.visits(), func(e *Event) { e.SeenSeq-- })
	send("an agent writes as the visitor", ErrEventSignature, ana.Sign, nil)
	send("the visitor writes as an agent", ErrEventSignature, k.visits(), func(e *Event) { e.Leaf = 2 })
	for name, prefix := range map[string][]byte{
		"the epoch before":     k.prefix(0),
		"another conversation": w.talk().prefix(0),
		"nothing":              nil,
	} {
		e := new(Event)
		if err := Parse(k.event(k.visits(), nil), e); err != nil {
			c.t.Fatal(err)
		}
		Sign(e, w.org, prefix, k.visits())
		a := k.attack()
		a.input, a.then = e.Bytes(), k.event(k.visits(), nil)
		c.add("event signed for "+name, ErrEventSignature, "entry", a)
	}
	slices.SortFunc(c.all[len(c.all)-3:], func(a, b *attack) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	a := k.attack()
	a.input, a.then = secondS(k.event(k.visits(), nil)), k.event(k.visits(), nil)
	c.add("event with S plus the group's order", ErrEventSignature, "entry", a)
	a.input = k.event(k.visits(), nil)
	a.input = changed(a.input, eventHeader+2, a.input[eventHeader+2]^1)
	c.add("event with a bit of its body turned", ErrEventSignature, "entry", a)
	a.input = append(bytes.Clone(a.then), 0)
	c.add("event with a byte more", ErrBadEvent, "entry", a)
	a.input = a.then[:eventHeader]
	c.add("event without a body", ErrBadEvent, "entry", a)

	for k.visitor.Seq() < began+63 {
		k.post(k.event(k.visits(), nil), nil, nil)
	}
	send("a late event 64 entries after the new epoch", accepted, k.visits(), late)
	k.post(k.event(k.visits(), nil), nil, nil)
	send("late event 65 entries after the new epoch", ErrEpochStale, k.visits(), late)
	k.post(k.forge(nil), nil, nil)
	send("event of the epoch before the one before", ErrEpochStale, k.visits(), late)
}

// ---- V8 to V12, W6 ----

// sealed is an event of a member whose body was made by hand.
func (k *talk) sealed(leaf uint16, signer ed25519.PrivateKey, class byte, padded []byte, edit func(*Event)) []byte {
	k.t.Helper()
	o, err := k.visitor.current()
	if err != nil {
		k.t.Fatal(err)
	}
	k.serial++
	e := &Event{
		N: o.N(), Leaf: leaf, Class: class, MessageID: [16]byte{0xdd, k.serial}, SeenSeq: k.visitor.Seq(), SeenLog: k.visitor.Log(),
		Time: k.now, Ciphertext: make([]byte, len(padded)+tagSize),
	}
	encode(e)
	keys, aad := DeriveMessageKeys(o.es, o.epoch.Hash(), e.header()), o.aad(e.header())
	e.Ciphertext, e.Commitment = gcm(keys.Key).Seal(nil, keys.Nonce[:], padded, aad), commit(keys, aad, padded)
	if edit != nil {
		edit(e)
	}
	Sign(e, k.org, k.prefix(o.N()), signer)
	return e.Bytes()
}

func (k *talk) padded(payload []byte) []byte {
	k.t.Helper()
	p, err := Pad(payload)
	if err != nil {
		k.t.Fatal(err)
	}
	return p
}

func (c *cases) bodies() {
	w := newWorld(c.t)
	ana := w.person(20, nil)
	tablet := w.person(21, func(x *Certificate) { x.Subject = ana.certificate.Subject })
	k := w.talk()
	agent := k.accept(ana)
	both, set, _ := k.authored(by(2, plus(tablet.member(3))), nil, nil, ana.Sign)
	k.post(both, set, nil)
	if _, err := agent.Take(both, set, w.now, true); err != nil {
		c.t.Fatal(err)
	}
	read := func(name string, rule Refusal, keys Keys, input []byte, gives *Payload) {
		a := k.attack()
		a.member, a.input, a.wraps, a.payload = &keys, input, k.wraps, gives
		c.add(name, rule, "read", a)
	}
	hello := text("¿quién llama?")
	hello.CID = [16]byte{7}
	plainText := hello.encode()
	body := func(name string, rule Refusal, class byte, padded []byte, edit func(*Event)) {
		read(name, rule, ana.Keys, k.sealed(0, k.visits(), class, padded, edit), nil)
	}
	said, err := k.visitor.Say(hello, w.now)
	if err != nil {
		c.t.Fatal(err)
	}
	read("a message", accepted, ana.Keys, said, &hello)
	read("one's own message", accepted, k.visitor.keys, said, &hello)
	answer, err := agent.Say(text(string(bytes.Repeat([]byte("a"), MaxText))), w.now)
	if err != nil {
		c.t.Fatal(err)
	}
	longest := text(string(bytes.Repeat([]byte("a"), MaxText)))
	read("the longest message", accepted, k.visitor.keys, answer, &longest)
	leave, err := agent.Say(Payload{Type: TypeClose, Reason: 2}, w.now)
	if err != nil {
		c.t.Fatal(err)
	}
	read("a close", accepted, k.visitor.keys, leave, &Payload{Type: TypeClose})
	bad, err := agent.Say(Payload{Type: TypeEpochBad, N: 1, Epoch: [32]byte{1}}, w.now)
	if err != nil {
		c.t.Fatal(err)
	}
	read("an epoch bad", accepted, k.visitor.keys, bad, &Payload{Type: TypeEpochBad})

	good := k.padded(plainText)
	body("body with a bit turned", ErrDecrypt, ClassMessage, good, func(e *Event) { e.Ciphertext[0] ^= 1 })
	body("tag with a bit turned", ErrDecrypt, ClassMessage, good, func(e *Event) { e.Ciphertext[len(e.Ciphertext)-1] ^= 1 })
	body("body under another header", ErrDecrypt, ClassMessage, good, func(e *Event) { e.Time += 1000 })
	body("body of another class", ErrDecrypt, ClassMessage, good, func(e *Event) { e.Class = ClassControl })
	body("body of another msg_id", ErrDecrypt, ClassMessage, good, func(e *Event) { e.MessageID[0] ^= 1 })
	body("commitment to another body", ErrCommitment, ClassMessage, good, func(e *Event) { e.Commitment[31] ^= 1 })
	body("no commitment", ErrCommitment, ClassMessage, good, func(e *Event) { e.Commitment = [32]byte{} })
	for _, name := range []string{
		"[V10] bucket too large", "[V10] bucket too small", "[V10] page too many", "[V10] length over the limit",
		"[V10] length of 32 bits", "[V10] length of 31 bits", "[V10] no bucket", "[V10] last pad byte not zero", "[V10] first pad byte not zero", "[V10] pad of nothing, not zero",
	} {
		body("sealed by a member: "+name[len("[V10] "):], ErrPadding, ClassMessage, badPaddings[name], nil)
	}
	payload := func(name string, class byte, raw []byte) {
		body(name, ErrBadPayload, class, k.padded(raw), nil)
	}
	head := plainText[:payloadHead]
	typed := func(kind byte, content ...byte) []byte {
		return append([]byte{kind}, append(bytes.Clone(head[1:]), content...)...)
	}
	payload("empty payload", ClassMessage, nil)
	payload("half a payload", ClassMessage, head[:16])
	payload("text without text", ClassMessage, head)
	payload("text that is no UTF-8", ClassMessage, typed(1, 0xff))
	payload("text with a surrogate", ClassMessage, typed(1, 0xed, 0xa0, 0x80))
	payload("text of 8193 bytes", ClassMessage, typed(1, bytes.Repeat([]byte("a"), MaxText+1)...))
	payload("payload of type 0", ClassMessage, typed(0, 'a'))
	payload("payload of type 9", ClassMessage, typed(9, 'a'))
	payload("close in a message", ClassMessage, typed(2, 1))
	payload("text in a close", ClassClose, typed(1, 'a'))
	payload("text in a control", ClassControl, typed(1, 'a'))
	payload("close without a reason", ClassClose, typed(2))
	payload("close with reason 0", ClassClose, typed(2, 0))
	payload("close with reason 4", ClassClose, typed(2, 4))
	payload("close with two reasons", ClassClose, typed(2, 1, 1))
	payload("epoch bad without a hash", ClassEpochBad, typed(3, 0, 0, 0, 1))
	payload("epoch bad with a byte more", ClassEpochBad, typed(3, make([]byte, 37)...))
	c.controls(k, read, ana)

	// V12: sealed again, by the same subject.
	spoken := text("hola")
	spoken.CID = [16]byte{8}
	once, err := agent.Say(spoken, w.now)
	k.post(once, nil, err)
	if _, err := agent.Take(once, nil, w.now, true); err != nil {
		c.t.Fatal(err)
	}
	twice, err := agent.Say(spoken, w.now)
	if err != nil {
		c.t.Fatal(err)
	}
	read("a message sealed again", ErrDuplicateCID, k.visitor.keys, twice, nil)
	read("a message sealed again by the subject's other device", ErrDuplicateCID, k.visitor.keys, k.sealed(3, tablet.Sign, ClassMessage, k.padded(spoken.encode()), nil), nil)
	read("another subject with the same cid", accepted, ana.Keys, k.sealed(0, k.visits(), ClassMessage, k.padded(spoken.encode()), nil), &spoken)

	// W6
	after := k.visitor.Epoch()
	locked := k.attack()
	locked.member, locked.input = &ana.Keys, k.sealed(0, k.visits(), ClassMessage, good, nil)
	locked.wraps = slices.DeleteFunc(slices.Clone(k.wraps), func(raw []byte) bool {
		return slices.Contains(after.WrapHashes, hashOf(raw))
	})
	c.add("X1: a message in an epoch whose wrap was withheld", ErrLocked, "read", locked)
	stranger := Keys{Owner: [32]byte{1}, Sign: w.root, KEM: map[[32]byte]hpke.PrivateKey{}}
	read("a message that a stranger reads", ErrLocked, stranger, k.sealed(0, k.visits(), ClassMessage, good, nil), nil)
}

// controls are marks and forms.
func (c *cases) controls(k *talk, read func(string, Refusal, Keys, []byte, *Payload), ana person) {
	seen := k.visitor.Seq()
	head := text("").encode()
	says := func(name string, rule Refusal, leaf uint16, signer ed25519.PrivateKey, class byte, content []byte, gives *Payload) {
		raw := append(bytes.Clone(head), content...)
		raw[0] = TypeForm
		if len(content) == 16 || class == ClassControl {
			raw[0] = TypeMarks
		}
		to := ana.Keys
		if leaf == 2 {
			to = k.visitor.keys
		}
		read(name, rule, to, k.sealed(leaf, signer, class, k.padded(raw), nil), gives)
	}
	marks := func(name string, rule Refusal, delivered, seen uint64) {
		p := Payload{Type: TypeMarks, Delivered: delivered, Read: seen}
		gives := &p
		if rule.Rule != "" {
			gives = nil
		}
		says(name, rule, 0, k.visits(), ClassControl, p.encode()[payloadHead:], gives)
	}
	marks("marks of nothing", accepted, 0, 0)
	marks("marks of what was seen", accepted, seen, seen)
	marks("marks of what was received and not read", accepted, seen, 1)
	marks("marks of what was not seen", ErrBadPayload, seen+1, 0)
	marks("marks of more read than received", ErrBadPayload, 1, 2)
	marks("marks of 2^64-1", ErrBadPayload, 1<<64-1, 1<<64-1)
	right := Payload{Type: TypeMarks, Delivered: seen, Read: seen}
	mark := right.encode()[payloadHead:]
	says("an agent's marks", accepted, 2, ana.Sign, ClassControl, mark, &right)
	says("marks in a message", ErrBadPayload, 0, k.visits(), ClassMessage, mark, nil)
	says("marks with a byte less", ErrBadPayload, 0, k.visits(), ClassControl, mark[1:], nil)
	says("marks with a byte more", ErrBadPayload, 0, k.visits(), ClassControl, append(bytes.Clone(mark), 0), nil)

	form := func(name string, rule Refusal, fields ...Field) {
		p := Payload{Type: TypeForm, Fields: fields}
		gives := &p
		if rule.Rule != "" {
			gives = nil
		}
		says(name, rule, 0, k.visits(), ClassMessage, p.encode()[payloadHead:], gives)
	}
	long := func(n int) string { return string(bytes.Repeat([]byte("a"), n)) }
	var many []Field
	for i := range byte(17) {
		many = append(many, Field{"field " + string('a'+i), FieldText, "x"})
	}
	form("a form of each kind", accepted,
		Field{"nombre", FieldText, "Núñez"}, Field{"correo", FieldMail, "a@b.example"}, Field{"teléfono", FieldPhone, "+34 600"},
		Field{"tema", FieldChoice, "tarjeta"}, Field{"página", FieldPage, "https://bank.example/a"}, Field{"idioma", FieldLanguage, "es"})
	form("a form of 16 fields", accepted, many[:16]...)
	form("a field without a value", accepted, Field{"nombre", FieldText, ""})
	form("the longest name and value", accepted, Field{long(64), FieldText, long(MaxValue)})
	form("a value with line feeds", accepted, Field{"nota", FieldText, "a\nb"})
	form("a form without fields", ErrBadPayload)
	form("a form of 17 fields", ErrBadPayload, many...)
	form("a field without a name", ErrBadPayload, Field{"", FieldText, "x"})
	form("a name of 65 bytes", ErrBadPayload, Field{long(65), FieldText, "x"})
	form("a name with a control character", ErrBadPayload, Field{"a\nb", FieldText, "x"})
	form("a name that changes direction", ErrBadPayload, Field{"\u202ea", FieldText, "x"})
	form("a name that is no UTF-8", ErrBadPayload, Field{"\xff", FieldText, "x"})
	form("a name twice", ErrBadPayload, Field{"a", FieldText, "x"}, Field{"a", FieldMail, "y"})
	form("a value of 1025 bytes", ErrBadPayload, Field{"a", FieldText, long(MaxValue + 1)})
	form("a value that is no UTF-8", ErrBadPayload, Field{"a", FieldText, "\xff"})
	form("a field of kind 0", ErrBadPayload, Field{"a", 0, "x"})
	form("a field of kind 7", ErrBadPayload, Field{"a", 7, "x"})
	one := Payload{Type: TypeForm, Fields: many[:1]}
	whole := one.encode()[payloadHead:]
	says("an agent's form", ErrBadPayload, 2, ana.Sign, ClassMessage, whole, nil)
	says("a form in a close", ErrBadPayload, 0, k.visits(), ClassClose, whole, nil)
	says("a form with a byte less", ErrBadPayload, 0, k.visits(), ClassMessage, whole[:len(whole)-1], nil)
	says("a form with a byte more", ErrBadPayload, 0, k.visits(), ClassMessage, append(bytes.Clone(whole), 0), nil)
	says("a form of nothing at all", ErrBadPayload, 0, k.visits(), ClassMessage, nil, nil)
}
