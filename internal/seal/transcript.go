package seal

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Limits of a conversation (E7, E27, V2).
const (
	maxMembers      = 16
	maxEpochs       = 2000
	shrinkingEpochs = 200 // the last ones, which only remove
	epochsPerHour   = 20
	addedPerHour    = 6
	coolDown        = Minute
	lateEvents      = 64
)

// Expect is what a reader knows of a conversation before it reads its log.
type Expect struct {
	Conv    *[32]byte // the conversation asked for (G3)
	Dept    *[16]byte // the page's department (G6)
	MinMode byte      // the weakest mode that is taken (G7)
	Genesis []byte    // the visitor's own (G9)
	Kept    *Kept     // what was seen before (L2, L3, E5)
	Server  bool      // a server takes nothing from the future (E29)
}

// Kept is how far a reader has seen a log: it is stored and never goes down.
type Kept struct {
	Seq   uint64
	Log   [32]byte
	N     uint32
	Epoch [32]byte // hash of epoch N
	At    uint64   // when this was seen, by the reader's clock; 0 when that is not known
}

// Transcript is one conversation's log, verified without any secret: what a
// server, a newcomer and a member see alike. It is not safe for concurrent use.
type Transcript struct {
	trust    *Trust
	expect   Expect
	genesis  *Genesis
	conv     [32]byte
	log      [][32]byte // L by sequence
	epochs   []*Epoch
	epochSeq []uint64 // sequence of each epoch
	leaves   map[uint16][32]byte
	nextLeaf int
	hashes   map[[32]byte]struct{}
	messages map[[18]byte]struct{}
	acts     []act
	taken    uint64 // when the last epoch was, as in act
	closed   bool
}

// act is what E27 counts.
type act struct {
	certificate [32]byte
	time        uint64
	taken       uint64 // by a server's clock, else its time
	added       int
}

// Step is what an entry brought.
type Step struct {
	Seq           uint64
	Log           [32]byte
	Genesis       *Genesis
	Epoch         *Epoch
	Event         *Event
	Grant         *Grant
	Second        []uint16 // K18: leaves of an epoch that are another device of its author
	TimeUncertain bool     // E29: more than ten minutes off; only said of live entries
}

// NewTranscript begins with the genesis (G1 to G9). With live it begins now:
// its policy must be the current one and its time near.
func NewTranscript(trust *Trust, genesis []byte, expect Expect, now uint64, live bool) (*Transcript, error) {
	g := new(Genesis)
	if err := Parse(genesis, g); err != nil {
		return nil, ErrBadGenesis.Because("%v", err)
	}
	if err := trust.checkKey(g.SigKey); err != nil {
		return nil, ErrGenesisSignature.Because("its key: %v", err)
	}
	// The organisation is checked by G4; the signature names the genesis's own.
	if err := verified(g, g.Org, nil, 0, g.SigKey, ErrGenesisSignature); err != nil {
		return nil, err
	}
	conv := g.Hash()
	if expect.Conv != nil && conv != *expect.Conv {
		return nil, ErrConversationMismatch.Because("this is the genesis of another conversation")
	}
	if g.Org != trust.org {
		return nil, ErrGenesisOrg.Because("the conversation is of another organisation")
	}
	policy := trust.PolicyOf(g.PolicyHash)
	if policy == nil {
		return nil, ErrGenesisPolicy.Because("its policy is not known")
	}
	if live && policy != trust.Policy() {
		return nil, ErrGenesisPolicy.Because("its policy is version %d, the current one is %d", policy.Version, trust.Policy().Version)
	}
	dept := policy.Department(g.Dept)
	if dept == nil {
		return nil, ErrWrongDepartment.Because("the policy does not have its department")
	}
	if expect.Dept != nil && g.Dept != *expect.Dept {
		return nil, ErrWrongDepartment.Because("it belongs to another department than the page")
	}
	if g.Mode != dept.Mode {
		return nil, ErrModeMismatch.Because("its mode is %d, the department's %d", g.Mode, dept.Mode)
	}
	if g.Mode < expect.MinMode {
		return nil, ErrModeMismatch.Because("its mode is %d, weaker than the page's %d", g.Mode, expect.MinMode)
	}
	if expect.Genesis != nil && string(expect.Genesis) != string(genesis) {
		return nil, ErrNotMyGenesis.Because("this is not the genesis that was made here")
	}
	t := &Transcript{
		trust: trust, expect: expect, genesis: g, conv: conv,
		log:      [][32]byte{LogStart(conv)},
		leaves:   map[uint16][32]byte{},
		hashes:   map[[32]byte]struct{}{},
		messages: map[[18]byte]struct{}{},
	}
	if live {
		if err := t.Fresh(now); err != nil {
			return nil, err
		}
	}
	if k := expect.Kept; k != nil && k.Seq == 0 && k.Log != t.Log() {
		return nil, errFork
	}
	return t, nil
}

// Fresh is G8: whoever accepts a conversation, and the server that takes a new
// one, asks it.
func (t *Transcript) Fresh(now uint64) error {
	policy := t.trust.PolicyOf(t.genesis.PolicyHash)
	limit := uint64(policy.Department(t.genesis.Dept).MaxAgeHours) * Hour
	if t.genesis.Time > now+clockSkew {
		return ErrGenesisAge.Because("the conversation begins in the future")
	}
	if now > t.genesis.Time && now-t.genesis.Time > limit {
		return ErrGenesisAge.Because("the conversation is older than the %d hours that the policy allows", limit/Hour)
	}
	return nil
}

// Conv is the conversation's name.
func (t *Transcript) Conv() [32]byte { return t.conv }

// Dept is the conversation's department.
func (t *Transcript) Dept() [16]byte { return t.genesis.Dept }

// Seq is the sequence of the last entry, Log the running hash after it.
func (t *Transcript) Seq() uint64 { return uint64(len(t.log) - 1) } //nolint:gosec // the genesis is there

// Log is the running hash after the last entry.
func (t *Transcript) Log() [32]byte { return t.log[len(t.log)-1] }

// Epoch is the last epoch, or nil when only the genesis is there.
func (t *Transcript) Epoch() *Epoch {
	if len(t.epochs) == 0 {
		return nil
	}
	return t.epochs[len(t.epochs)-1]
}

// Closed reports whether a close is the last word.
func (t *Transcript) Closed() bool { return t.closed }

// Kept is what to store of this log (L2).
func (t *Transcript) Kept() Kept {
	k := Kept{Seq: t.Seq(), Log: t.Log()}
	if e := t.Epoch(); e != nil {
		k.N, k.Epoch = e.N, e.Hash()
	}
	return k
}

// Complete is L2: everything that was seen before is here again.
func (t *Transcript) Complete() error {
	if k := t.expect.Kept; k != nil && t.Seq() < k.Seq {
		return ErrRollback.Because("the log ends at %d, but %d was seen before", t.Seq(), k.Seq)
	}
	return nil
}

// Append takes the next entry, an epoch, event or grant, or refuses it and stays
// as it was. With live it happens now: status and clock count.
func (t *Transcript) Append(entry []byte, now uint64, live bool) (Step, error) {
	step := Step{Seq: t.Seq() + 1, Log: LogNext(t.Log(), t.Seq()+1, entry)}
	switch kind := KindOf(entry); kind {
	case KindEpoch:
		e := new(Epoch)
		if err := Parse(entry, e); err != nil {
			return Step{}, ErrBadEpoch.Because("%v", err)
		}
		if err := t.future(e.Time, now, live); err != nil {
			return Step{}, err
		}
		added, err := t.checkEpoch(e, now, live)
		if err != nil {
			return Step{}, err
		}
		if err := t.after(step.Log, e); err != nil {
			return Step{}, err
		}
		step.Second = t.second(e)
		taken := t.takenAt(e, now, live)
		t.takeEpoch(e, added, step, taken)
		step.Epoch, step.TimeUncertain = e, live && off(e.Time, now)
	case KindEvent:
		e := new(Event)
		if err := Parse(entry, e); err != nil {
			return Step{}, ErrBadEvent.Because("%v", err)
		}
		if err := t.future(e.Time, now, live); err != nil {
			return Step{}, err
		}
		if err := t.checkEvent(e, now, live); err != nil {
			return Step{}, err
		}
		if err := t.after(step.Log, nil); err != nil {
			return Step{}, err
		}
		t.hashes[e.Hash()] = struct{}{}
		t.messages[e.id()] = struct{}{}
		t.closed = e.Class == ClassClose
		t.log = append(t.log, step.Log)
		step.Event, step.TimeUncertain = e, live && off(e.Time, now)
	case KindGrant:
		g := new(Grant)
		if err := Parse(entry, g); err != nil {
			return Step{}, ErrBadGrant.Because("%v", err)
		}
		if err := t.future(g.Time, now, live); err != nil {
			return Step{}, err
		}
		if err := t.checkGrant(g, now, live); err != nil {
			return Step{}, err
		}
		if err := t.after(step.Log, nil); err != nil {
			return Step{}, err
		}
		t.hashes[g.Hash()] = struct{}{}
		t.log = append(t.log, step.Log)
		step.Grant, step.TimeUncertain = g, live && off(g.Time, now)
	default:
		return Step{}, ErrBadKind.Because("an epoch, event or grant was expected, this is a %s", kind)
	}
	return step, nil
}

// after compares an entry that is not taken yet with what was seen before (L3,
// E5).
func (t *Transcript) after(log [32]byte, e *Epoch) error {
	k := t.expect.Kept
	if k == nil || t.Seq()+1 > k.Seq {
		return nil
	}
	if e != nil && e.N == k.N && e.Hash() != k.Epoch {
		return ErrEpochRollback.Because("epoch %d is not the one that was seen before", k.N)
	}
	if t.Seq()+1 == k.Seq && log != k.Log {
		return errFork
	}
	return nil
}

var errFork = ErrFork.Because("the log is not the one that was seen before")

// future is the half of E29 that a server refuses by: what is judged at its own
// time again, after a restart, must not depend on what happens until then.
func (t *Transcript) future(at, now uint64, live bool) error {
	if t.expect.Server && live && at > now+10*Minute {
		return ErrTimeUncertain.Because("the time is more than 10 minutes in the future: set the clock")
	}
	return nil
}

func off(at, now uint64) bool { return at > now+10*Minute || now > at+10*Minute }

func (t *Transcript) takeEpoch(e *Epoch, added int, step Step, taken uint64) {
	t.taken = taken
	if e.N > 0 {
		author, _ := t.Epoch().member(e.Author)
		t.acts = append(t.acts, act{author.Certificate, e.Time, taken, added})
	}
	for _, m := range e.Members {
		t.leaves[m.Leaf] = m.Certificate
		t.nextLeaf = max(t.nextLeaf, int(m.Leaf)+1)
	}
	t.epochs = append(t.epochs, e)
	t.epochSeq = append(t.epochSeq, step.Seq)
	t.log = append(t.log, step.Log)
	t.closed = false
}

// pair is E6 and V6.
func (t *Transcript) pair(seq uint64, log [32]byte, rule Refusal) error {
	if seq > t.Seq() || t.log[seq] != log {
		return rule.Because("seen_seq %d and seen_log do not name an entry before this one", seq)
	}
	return nil
}

// checkEpoch asks E2 to E27 and returns how many members are new.
func (t *Transcript) checkEpoch(e *Epoch, now uint64, live bool) (int, error) {
	if live {
		if err := t.trust.Live(now); err != nil {
			return 0, err
		}
	}
	if t.closed && (e.Reason != ReasonReopen || !t.mayReopen(e.Author)) {
		return 0, ErrClosed.Because("the conversation is closed: its visitor, agent or supervisor can open it again")
	}
	if !t.closed && e.Reason == ReasonReopen {
		return 0, ErrClosed.Because("the conversation is open: there is nothing to open again")
	}
	if e.Conv != t.conv {
		return 0, ErrWrongConversation.Because("the epoch is of another conversation")
	}
	if e.N != uint32(len(t.epochs)) { //nolint:gosec // at most 2000
		return 0, ErrEpochSkip.Because("epoch %d follows, this one is %d", len(t.epochs), e.N)
	}
	prev, prevHash := t.Epoch(), t.conv
	if prev != nil {
		prevHash = prev.Hash()
	}
	if e.Prev != prevHash {
		return 0, ErrEpochFork.Because("the epoch follows another one than the last")
	}
	if err := t.pair(e.SeenSeq, e.SeenLog, ErrEpochLog); err != nil {
		return 0, err
	}
	change, err := t.checkRoster(prev, e)
	if err != nil {
		return 0, err
	}
	policy := t.trust.PolicyOf(e.PolicyHash)
	if err := t.checkMembers(prev, e, change, policy, now, live); err != nil {
		return 0, err
	}
	if err := t.checkAuthor(prev, e, change, policy, t.moments(e.Time, now, live)); err != nil {
		return 0, err
	}
	if err := t.checkFrame(prev, e, policy, now, live); err != nil {
		return 0, err
	}
	return len(change.added), t.checkBudget(prev, e, change, t.takenAt(e, now, live))
}

// mayReopen is S8 for the author of an epoch after a close.
func (t *Transcript) mayReopen(leaf uint16) bool {
	author, _ := t.Epoch().member(leaf)
	return author != nil && (author.Role == Visitor || isPerson(*author))
}

// takenAt is when an epoch counts as taken (E27): a server has a clock of its
// own that no author chooses.
func (t *Transcript) takenAt(e *Epoch, now uint64, live bool) uint64 {
	if t.expect.Server && live {
		return now
	}
	return e.Time
}

// change is how a roster differs from the one before.
type change struct {
	added, removed, rekeyed []Member
}

func differ(prev, e *Epoch) change {
	var c change
	if prev == nil {
		return change{added: e.Members}
	}
	for _, m := range e.Members {
		switch old, _ := prev.member(m.Leaf); {
		case old == nil:
			c.added = append(c.added, m)
		case old.KeyObject != m.KeyObject:
			c.rekeyed = append(c.rekeyed, m)
		}
	}
	for _, m := range prev.Members {
		if now, _ := e.member(m.Leaf); now == nil {
			c.removed = append(c.removed, m)
		}
	}
	return c
}

// checkRoster asks E7 to E12, what the roster says by itself.
func (t *Transcript) checkRoster(prev, e *Epoch) (change, error) {
	c := differ(prev, e)
	if len(e.Members) < 1 || len(e.Members) > maxMembers {
		return c, ErrBadRoster.Because("a roster has 1 to %d members, not %d", maxMembers, len(e.Members))
	}
	if !slices.IsSortedFunc(e.Members, func(a, b Member) int { return cmp.Or(cmp.Compare(a.Leaf, b.Leaf), -1) }) {
		return c, ErrBadRoster.Because("leaves do not ascend")
	}
	for _, m := range e.Members {
		certificate, used := t.leaves[m.Leaf]
		if used && certificate != m.Certificate {
			return c, ErrLeafReuse.Because("leaf %d was somebody else's", m.Leaf)
		}
		if prev != nil {
			if was, _ := prev.member(m.Leaf); was != nil {
				continue
			}
		}
		if int(m.Leaf) < t.nextLeaf || int(m.Leaf) >= t.nextLeaf+maxMembers || m.Leaf == NoAccept {
			return c, ErrLeafReuse.Because("a new leaf is %d to %d, this one is %d", t.nextLeaf, t.nextLeaf+maxMembers-1, m.Leaf)
		}
	}
	if err := t.checkDoubles(e); err != nil {
		return c, err
	}
	for _, m := range e.Members {
		if (m.Role == Visitor) != (m.Leaf == 0) || m.Leaf == 0 && m.Certificate != t.conv {
			return c, ErrVisitorRule.Because("the visitor is leaf 0, and nobody else")
		}
	}
	if e.Members[0].Role != Visitor {
		return c, ErrVisitorRule.Because("the visitor is missing")
	}
	for _, m := range c.rekeyed {
		if m.Leaf == 0 && e.Author != 0 {
			return c, ErrVisitorRekey.Because("only the visitor changes the visitor's key object")
		}
		if m.Leaf == e.Author {
			continue
		}
		was, _ := prev.member(m.Leaf)
		old, now := t.trust.KeyObject(was.KeyObject), t.trust.KeyObject(m.KeyObject)
		if old == nil || now == nil || now.NotBefore <= old.NotBefore {
			return c, ErrMemberRekey.Because("the key object of leaf %d is not newer", m.Leaf)
		}
	}
	return c, nil
}

// second is K18: who comes in as another device of the author, a person that was
// a member before.
func (t *Transcript) second(e *Epoch) []uint16 {
	prev := t.Epoch()
	if prev == nil {
		return nil
	}
	author, _ := prev.member(e.Author)
	var leaves []uint16
	for _, m := range differ(prev, e).added {
		if isPerson(*author) && isPerson(m) && t.sameSubject(author, &m) {
			leaves = append(leaves, m.Leaf)
		}
	}
	return leaves
}

// checkDoubles is E9.
func (t *Transcript) checkDoubles(e *Epoch) error {
	certificates, signing := map[[32]byte]bool{}, map[[32]byte]bool{}
	kem := map[[KEMPublicKeySize]byte]bool{}
	for _, m := range e.Members {
		if certificates[m.Certificate] {
			return ErrDuplicateMember.Because("the certificate of leaf %d stands twice", m.Leaf)
		}
		certificates[m.Certificate] = true
		key := t.genesis.SigKey
		if m.Role != Visitor {
			x := t.trust.Certificate(m.Certificate)
			if x == nil {
				continue // E14 will say so
			}
			key = x.SigKey
		}
		if signing[key] {
			return ErrDuplicateMember.Because("the signing key of leaf %d stands twice", m.Leaf)
		}
		signing[key] = true
		if k := t.trust.KeyObject(m.KeyObject); k != nil {
			if kem[k.KEMKey] {
				return ErrDuplicateMember.Because("the KEM key of leaf %d stands twice", m.Leaf)
			}
			kem[k.KEMKey] = true
		}
	}
	return nil
}

// checkMembers asks E13 to E17 and E23's first part: who the members are.
func (t *Transcript) checkMembers(prev, e *Epoch, c change, policy *Policy, now uint64, live bool) error {
	if policy == nil {
		return ErrEpochPolicy.Because("its policy is not known")
	}
	moments := t.moments(e.Time, now, live)
	dept := policy.Department(t.genesis.Dept)
	if dept == nil || dept.Mode != t.genesis.Mode {
		return ErrModeViolation.Because("the policy has another mode for the department, or none")
	}
	subjects := map[Mandatory]bool{}
	for _, m := range e.Members {
		if m.Role == Visitor {
			if err := t.judgeVisitor(m, moments); err != nil {
				return ErrBadMember.Because("leaf %d: %v", m.Leaf, err)
			}
			continue
		}
		if x := t.trust.Certificate(m.Certificate); x != nil && x.Kind != m.Role {
			return ErrRoleMismatch.Because("leaf %d is in the roster as %d, its certificate says %d", m.Leaf, m.Role, x.Kind)
		}
		x, err := t.judgeMember(m, policy, moments)
		if err != nil {
			return ErrBadMember.Because("leaf %d: %v", m.Leaf, err)
		}
		if dept.Roles&(1<<m.Role) == 0 {
			return ErrModeViolation.Because("the policy does not allow the role of leaf %d", m.Leaf)
		}
		if t.genesis.Mode == Sealed && (m.Role == Server || x.Custody == Operator || x.IssuerCustody == Operator) {
			return ErrModeViolation.Because("leaf %d is the server, or in the operator's custody", m.Leaf)
		}
		subjects[Mandatory{m.Role, x.Subject}] = true
	}
	for _, m := range dept.Mandatory {
		if !subjects[m] {
			return ErrMandatoryMissing.Because("a member of role %d that the policy demands is missing", m.Role)
		}
	}
	if t.genesis.Mode == Sealed && prev != nil && e.Author != 0 {
		for _, m := range c.added {
			if m.Role == Bot {
				return ErrBotConsent.Because("in a sealed conversation only the visitor lets a bot in")
			}
		}
	}
	return nil
}

// moments are those at which an entry of a time is judged: at its own, and now
// when it is live. What is above the last that was seen did not happen long
// before that.
func (t *Transcript) moments(time, now uint64, live bool) []uint64 {
	if k := t.expect.Kept; k != nil && t.Seq() >= k.Seq && k.At > 10*Minute {
		time = max(time, k.At-10*Minute)
	}
	if live {
		return []uint64{time, now}
	}
	return []uint64{time}
}

// judgeVisitor asks K16 of the visitor's key object.
func (t *Transcript) judgeVisitor(m Member, moments []uint64) error {
	for _, at := range moments {
		k, err := t.trust.judgeKey(m.KeyObject, owner{t.conv, t.genesis.SigKey, 0, maxInteger}, at)
		if err != nil {
			return err
		}
		if k.NotAfter-k.NotBefore > visitorKeyDays*Day {
			return ErrBadKeyObject.Because("a visitor's key object lasts at most %d days", visitorKeyDays)
		}
	}
	return nil
}

// judgeMember asks K9 to K16 of a certified member.
func (t *Transcript) judgeMember(m Member, policy *Policy, moments []uint64) (Judged, error) {
	var x Judged
	for _, at := range moments {
		var err error
		if x, err = t.trust.Judge(m.Certificate, policy, at); err != nil {
			return x, err
		}
		if m.Role == Department && x.Dept != t.genesis.Dept {
			return x, ErrBadDepartmentKey.Because("the department is another one")
		}
		if _, err := t.trust.JudgeKey(m.KeyObject, x.Certificate, at); err != nil {
			return x, err
		}
	}
	return x, nil
}

// judgeAuthor is the second half of E18: whoever changes a roster holds itself.
// A department's generation that has ended may still hand over what waits.
func (t *Transcript) judgeAuthor(author *Member, e *Epoch, policy *Policy, moments []uint64) error {
	if author.Role == Visitor {
		return nil
	}
	for _, at := range moments {
		x, err := t.trust.judge(author.Certificate, policy, at)
		if err != nil {
			return ErrNotAuthor.Because("leaf %d: %v", author.Leaf, err)
		}
		if e.Reason != ReasonAccept && t.trust.outdated(x.Certificate, at) {
			return ErrNotAuthor.Because("leaf %d: its generation of the department's keys has ended", author.Leaf)
		}
	}
	return nil
}

// checkAuthor asks E18 to E22: who may change what, and has signed it.
func (t *Transcript) checkAuthor(prev, e *Epoch, c change, policy *Policy, moments []uint64) error {
	from := prev
	if prev == nil {
		from = e
		if e.Author != 0 {
			return ErrNotAuthor.Because("the visitor makes epoch 0")
		}
	}
	author, _ := from.member(e.Author)
	if author == nil {
		return ErrNotAuthor.Because("leaf %d was no member", e.Author)
	}
	dept := policy.Department(t.genesis.Dept)
	if prev != nil {
		if err := t.judgeAuthor(author, e, policy, moments); err != nil {
			return err
		}
		if err := t.checkRight(prev, e, author, c, dept); err != nil {
			return err
		}
		if err := t.checkAccept(e, author, c); err != nil {
			return err
		}
		if err := t.checkDepartmentLeaves(prev, e, c); err != nil {
			return err
		}
	}
	if err := verified(e, t.trust.org, nil, 0, t.sigKey(author), ErrEpochSignature); err != nil {
		return err
	}
	if e.Accept == NoAccept {
		return nil
	}
	accepting, _ := e.member(e.Accept)
	if accepting == nil {
		return ErrEpochSignature.Because("nobody is leaf %d, which should countersign", e.Accept)
	}
	return verified(e, t.trust.org, nil, 1, t.sigKey(accepting), ErrEpochSignature)
}

// sigKey is the signing key of a member whose certificate is known.
func (t *Transcript) sigKey(m *Member) [32]byte {
	if m.Role == Visitor {
		return t.genesis.SigKey
	}
	return t.trust.Certificate(m.Certificate).SigKey
}

// checkRight is E19: the author table of section 4.5.
func (t *Transcript) checkRight(prev, e *Epoch, author *Member, c change, dept *DepartmentPolicy) error {
	refuse := func(format string, values ...any) error { return ErrAuthorRight.Because(format, values...) }
	demanded := func(m Member) bool {
		return slices.Contains(dept.Mandatory, Mandatory{m.Role, t.trust.Certificate(m.Certificate).Subject})
	}
	others := slices.ContainsFunc(c.rekeyed, func(m Member) bool { return m.Leaf != author.Leaf })
	switch author.Role {
	case Visitor:
		for _, m := range c.added {
			if m.Role != Department && m.Role != Bot && !demanded(m) {
				return refuse("a visitor adds the department, a bot or whom the policy demands, not leaf %d", m.Leaf)
			}
		}
	case Agent, Supervisor:
		if e.Reason == ReasonReopen && slices.ContainsFunc(c.added, func(m Member) bool { return !demanded(m) }) {
			return refuse("who opens a conversation again brings nobody")
		}
		for _, m := range c.removed {
			if m.Role == Visitor {
				return refuse("nobody removes the visitor")
			}
		}
	case Department:
		if len(c.rekeyed) > 0 {
			return refuse("a department changes no key object")
		}
		if len(c.added) == 0 && len(c.removed) == 0 {
			return nil
		}
		if e.Accept == NoAccept {
			return refuse("a department changes the roster only by an accept")
		}
		if !dept.Takeover && slices.ContainsFunc(prev.Members, isPerson) {
			return refuse("somebody has accepted already")
		}
		for _, m := range c.removed {
			if m.Leaf != author.Leaf {
				return refuse("a department removes nobody but itself")
			}
		}
		for _, m := range c.added {
			if stays, _ := e.member(author.Leaf); m.Role == Department && (stays != nil || !t.newerGeneration(m, author)) {
				return refuse("the department is replaced by a newer generation only")
			}
			if m.Role != Department && m.Role != Agent && m.Role != Supervisor {
				return refuse("a department adds devices of people, not leaf %d", m.Leaf)
			}
		}
		if !dept.Keep && slices.ContainsFunc(e.Members, func(m Member) bool { return m.Role == Department }) {
			return refuse("the policy does not keep departments after an accept")
		}
	default:
		if len(c.added) > 0 || len(c.removed) > 0 || others {
			return refuse("leaf %d changes its own key object and nothing else", author.Leaf)
		}
	}
	return nil
}

func isPerson(m Member) bool { return m.Role == Agent || m.Role == Supervisor }

func (t *Transcript) newerGeneration(m Member, than *Member) bool {
	now, old := t.trust.Certificate(m.Certificate), t.trust.Certificate(than.Certificate)
	return now.Generation > old.Generation
}

// checkAccept is E20.
func (t *Transcript) checkAccept(e *Epoch, author *Member, c change) error {
	if e.Accept == NoAccept {
		return nil
	}
	if author.Role != Department {
		return ErrBadAccept.Because("a department accepts, not leaf %d", author.Leaf)
	}
	accepting := slices.IndexFunc(c.added, func(m Member) bool { return m.Leaf == e.Accept && isPerson(m) })
	if accepting < 0 {
		return ErrBadAccept.Because("leaf %d, which accepts, is no new device of a person", e.Accept)
	}
	x := t.trust.Certificate(c.added[accepting].Certificate)
	if !slices.Contains(x.Departments, t.genesis.Dept) {
		return ErrBadAccept.Because("the device that accepts is not certified for the department")
	}
	for _, m := range c.added {
		if m.Role != Department && t.trust.Certificate(m.Certificate).Subject != x.Subject {
			return ErrBadAccept.Because("leaf %d is another person's than who accepts", m.Leaf)
		}
	}
	return nil
}

// checkDepartmentLeaves is E21.
func (t *Transcript) checkDepartmentLeaves(prev, e *Epoch, c change) error {
	if !slices.ContainsFunc(c.removed, isPerson) {
		return nil
	}
	var highest uint32
	for _, m := range prev.Members {
		if m.Role != Department {
			continue
		}
		if now, _ := e.member(m.Leaf); now != nil {
			return ErrDepartmentStale.Because("a person leaves, but the department's leaf %d that it had keys for stays", m.Leaf)
		}
		highest = max(highest, t.trust.Certificate(m.Certificate).Generation+1)
	}
	for _, m := range c.added {
		if m.Role == Department && t.trust.Certificate(m.Certificate).Generation < highest {
			return ErrDepartmentStale.Because("a person leaves, and the department comes back with the keys that it had")
		}
	}
	return nil
}

// checkFrame asks E23 to E26.
func (t *Transcript) checkFrame(prev, e *Epoch, policy *Policy, now uint64, live bool) error {
	if policy.Version != e.PolicyVersion {
		return ErrEpochPolicy.Because("it names version %d, its policy is %d", e.PolicyVersion, policy.Version)
	}
	if prev != nil && policy.Version < prev.PolicyVersion {
		return ErrEpochPolicy.Because("its policy %d is older than the last epoch's %d", policy.Version, prev.PolicyVersion)
	}
	if newest := t.trust.Policy(); live && newest.Version > policy.Version && newest.Time+clockSkew < now {
		return ErrEpochPolicy.Because("its policy is %d, and %d holds since more than 5 minutes", policy.Version, newest.Version)
	}
	if prev == nil && e.PolicyHash != t.genesis.PolicyHash {
		return ErrEpochPolicy.Because("epoch 0 has another policy than the genesis")
	}
	if e.NotesID != ([32]byte{}) || e.LogRoot != ([32]byte{}) {
		return ErrNotesChanged.Because("notes_id and log_root are zero until there are notes and a key log")
	}
	if len(e.WrapHashes) != len(e.Members) {
		return ErrWrapCount.Because("%d members and %d wrap hashes", len(e.Members), len(e.WrapHashes))
	}
	if prev != nil {
		return nil
	}
	mandatory := policy.Department(t.genesis.Dept).Mandatory
	if len(e.Members) != 2+len(mandatory) || e.Members[1].Role != Department {
		return ErrBadEpoch0.Because("epoch 0 has the visitor, the department and the mandatory members only")
	}
	for i, m := range e.Members {
		if int(m.Leaf) != i {
			return ErrBadEpoch0.Because("the leaves of epoch 0 are 0, 1, 2 and so on")
		}
		if i >= 2 && (m.Role != mandatory[i-2].Role || t.trust.Certificate(m.Certificate).Subject != mandatory[i-2].Subject) {
			return ErrBadEpoch0.Because("leaf %d is not the policy's mandatory member %d", m.Leaf, i-2)
		}
	}
	return nil
}

// checkBudget is E27.
func (t *Transcript) checkBudget(prev, e *Epoch, c change, taken uint64) error {
	if e.N >= maxEpochs {
		return ErrEpochBudget.Because("a conversation has at most %d epochs", maxEpochs)
	}
	if e.N >= maxEpochs-shrinkingEpochs && (len(c.removed) == 0 || len(c.added)+len(c.rekeyed) > 0) {
		return ErrEpochBudget.Because("the last %d epochs only remove", shrinkingEpochs)
	}
	if prev == nil {
		return nil
	}
	author, _ := prev.member(e.Author)
	// By the times that the epochs name, and by those when they were taken:
	// the first is what everybody can check, the second cannot be chosen.
	for _, by := range []struct {
		time func(act) uint64
		now  uint64
	}{
		{func(a act) uint64 { return a.time }, e.Time},
		{func(a act) uint64 { return a.taken }, taken},
	} {
		epochs, added := 1, len(c.added)
		for _, a := range t.acts {
			if a.certificate == author.Certificate && near(by.time(a), by.now, Hour) {
				epochs++
				added += a.added
			}
		}
		if epochs > epochsPerHour || added > addedPerHour {
			return ErrEpochBudget.Because("%d epochs and %d new members by one member in an hour are too many", epochs, added)
		}
	}
	same := len(c.added)+len(c.removed)+len(c.rekeyed) == 0
	if same && e.Reason != ReasonReopen && (near(prev.Time, e.Time, coolDown) || near(t.taken, taken, coolDown)) {
		return ErrEpochBudget.Because("the same members and keys within 60 seconds")
	}
	return nil
}

func near(a, b, distance uint64) bool { return max(a, b)-min(a, b) < distance }

// classes says which roles may send a class of event (V3).
var classes = map[byte][]Role{
	ClassMessage:  {Visitor, Agent, Supervisor, Bot, Server},
	ClassControl:  {Visitor, Agent, Supervisor, Bot, Scanner, Server},
	ClassClose:    {Visitor, Agent, Supervisor},
	ClassEpochBad: {Visitor, Agent, Supervisor, Bot, Scanner, Archive, Server},
}

// checkEvent asks S8 and V2 to V7.
func (t *Transcript) checkEvent(e *Event, now uint64, live bool) error {
	if t.closed {
		return ErrClosed.Because("the conversation is closed: its visitor, agent or supervisor can open it again")
	}
	last := t.Epoch()
	if last == nil || e.N > last.N {
		return ErrEpochStale.Because("epoch %d has not begun", e.N)
	}
	epoch := last
	if e.N != last.N {
		began := t.epochSeq[last.N]
		epoch = t.epochs[e.N]
		before, _ := epoch.member(e.Leaf)
		now, _ := last.member(e.Leaf)
		if e.N+1 != last.N || before == nil || now == nil || e.SeenSeq >= began || t.Seq()+1-began > lateEvents {
			return ErrEpochStale.Because("epoch %d is over, the last is %d", e.N, last.N)
		}
	}
	sender, _ := epoch.member(e.Leaf)
	if sender == nil {
		return ErrNotSender.Because("leaf %d is not in the roster", e.Leaf)
	}
	if !slices.Contains(classes[e.Class], sender.Role) {
		return ErrNotSender.Because("leaf %d may not send class %d", e.Leaf, e.Class)
	}
	if sender.Role != Visitor {
		for _, at := range t.moments(e.Time, now, live) {
			if _, err := t.trust.judge(sender.Certificate, t.trust.PolicyOf(epoch.PolicyHash), at); err != nil {
				return ErrSenderRevoked.Because("leaf %d: %v", e.Leaf, err)
			}
		}
	}
	if t.HasMessage(e) {
		return ErrDuplicateEvent.Because("leaf %d has sent this msg_id", e.Leaf)
	}
	if _, twice := t.hashes[e.Hash()]; twice {
		return ErrDuplicateEvent.Because("this event is in the log")
	}
	if err := t.pair(e.SeenSeq, e.SeenLog, ErrEventLog); err != nil {
		return err
	}
	hash := epoch.Hash()
	return verified(e, t.trust.org, append(t.conv[:], hash[:]...), 0, t.sigKey(sender), ErrEventSignature)
}

// id is leaf and msg_id, which do not come again.
func (e *Event) id() [18]byte {
	var id [18]byte
	binary.BigEndian.PutUint16(id[:], e.Leaf)
	copy(id[2:], e.MessageID[:])
	return id
}

// ID is leaf(2) msg_id(16): no two events of a conversation share it (V5).
func (e *Event) ID() []byte { id := e.id(); return id[:] }

// SafetyNumber is that of the last epoch's visitor, agents and supervisors.
func (t *Transcript) SafetyNumber() (string, error) {
	epoch := t.Epoch()
	if epoch == nil {
		return "", fmt.Errorf("a conversation without an epoch has no safety number")
	}
	var people []Identity
	for i := range epoch.Members {
		if m := &epoch.Members[i]; m.Role == Visitor || isPerson(*m) {
			people = append(people, Identity{m.Role, t.sigKey(m)})
		}
	}
	return SafetyNumber(t.conv, people), nil
}

// WasMember reports whether a certificate, or conv, was ever in the roster.
func (t *Transcript) WasMember(owns func(owner [32]byte) bool) bool {
	for _, owner := range t.leaves {
		if owns(owner) {
			return true
		}
	}
	return false
}

// VisitorKey is the visitor's signing key.
func (t *Transcript) VisitorKey() [32]byte { return t.genesis.SigKey }

// Has reports whether the log has an entry after the genesis with this hash.
func (t *Transcript) Has(hash [32]byte) bool {
	if _, ok := t.hashes[hash]; ok {
		return true
	}
	return slices.ContainsFunc(t.epochs, func(e *Epoch) bool { return e.Hash() == hash })
}

// HasMessage reports whether the log has an event with this one's leaf and
// msg_id (V5).
func (t *Transcript) HasMessage(e *Event) bool {
	_, ok := t.messages[e.id()]
	return ok
}

// IsLeaf reports whether a leaf of epoch n belongs to an owner.
func (t *Transcript) IsLeaf(n uint32, leaf uint16, owns func(owner [32]byte) bool) bool {
	if int(n) >= len(t.epochs) {
		return false
	}
	m, _ := t.epochs[n].member(leaf)
	return m != nil && owns(m.Certificate)
}

// Sender is the member that an event of this log is from.
func (t *Transcript) Sender(e *Event) Member {
	m, _ := t.epochs[e.N].member(e.Leaf)
	return *m
}

// MayAuthor reports whether an owner speaks for the author of an epoch that
// follows the last: for itself, or by an accept for its department.
func (t *Transcript) MayAuthor(e *Epoch, owns func(owner [32]byte) bool) bool {
	last := t.Epoch()
	if last == nil {
		return owns(t.conv)
	}
	author, _ := last.member(e.Author)
	if author == nil {
		return false
	}
	if owns(author.Certificate) {
		return true
	}
	accepting, _ := e.member(e.Accept)
	return author.Role == Department && accepting != nil && owns(accepting.Certificate)
}

// EpochsFrom gives the epochs whose entries have a sequence of at least from.
func (t *Transcript) EpochsFrom(from uint64) []*Epoch {
	for i, seq := range t.epochSeq {
		if seq >= from {
			return slices.Clone(t.epochs[i:])
		}
	}
	return nil
}
