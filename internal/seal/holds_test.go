package seal

import "testing"

// accepted is a conversation that ana has accepted with the department's keys.
func (w *world) accepted(ana person) (*talk, *Seat) {
	w.t.Helper()
	k := w.talk()
	seat := k.seat(ana.Keys, w.deptKeys)
	epoch, wraps, err := seat.Accept(ana.keyObject.Hash(), w.now)
	k.post(epoch, wraps, err)
	return k, k.seat(ana.Keys, w.deptKeys)
}

func (w *world) revoke(owner [32]byte) {
	w.t.Helper()
	w.add(w.newStatus(func(s *Status) { s.Revoked = []Revocation{{owner, w.now}} }).Bytes())
}

// [E18] A revoked agent hands nothing over by leaving, and no time that it
// chooses helps.
func TestAuthor_Revoked(t *testing.T) {
	w := newWorld(t)
	ana, luis := w.person(20, nil), w.person(40, nil)
	k, seat := w.accepted(ana)
	heir := []Member{seat.Epoch().Members[0], luis.member(seat.NextLeaf())}
	w.now += 2 * Minute
	w.revoke(ana.Owner)
	for _, at := range []uint64{w.now, w.now - 3*Minute, w.now + 5*Minute} {
		epoch, _, err := seat.Change(ReasonMembers, heir, at)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.visitor.Append(epoch, w.now, true)
		refused(t, "a revoked agent's heir", err, ErrNotAuthor)
	}
	event, err := seat.Say(text("sigo aquí"), w.now-3*Minute)
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.visitor.Append(event, w.now, true)
	refused(t, "a revoked agent's message with an old time", err, ErrSenderRevoked)
	if _, err := k.visitor.Append(event, w.now, false); err != nil {
		t.Errorf("what was said before the revocation is refused as history: %v", err)
	}
}

// [E18, K14] A generation that has ended still hands over what waits for it, and
// nothing else.
func TestAuthor_EndedGeneration(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	k := w.talk()
	seat := k.seat(ana.Keys, w.deptKeys)
	w.now += 2 * Minute
	w.add(w.newStatus(func(s *Status) { s.Generations = []Generation{{w.dept, 2, w.now - Minute}} }).Bytes())
	epoch, wraps, err := seat.Accept(ana.keyObject.Hash(), w.now)
	k.post(epoch, wraps, err)
	late, err := NewTranscript(w.trust, k.entries[0], Expect{}, w.now, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = late.Append(k.entries[1], w.now, true)
	refused(t, "a new conversation with an ended generation", err, ErrBadMember)
}

// [K12, K14] What was revoked stays revoked, whatever a later status says.
func TestStatus_NothingComesBack(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	w.add(w.newStatus(func(s *Status) {
		s.Revoked, s.Generations = []Revocation{{ana.Owner, w.now - 1}}, []Generation{{w.dept, 2, w.now - 1}}
	}).Bytes())
	w.now += Minute
	w.add(w.newStatus(nil).Bytes())
	_, err := w.trust.Judge(ana.Owner, w.policy, w.now)
	refused(t, "a certificate that a later status forgets", err, ErrRevoked)
	_, err = w.trust.Judge(w.deptX.Hash(), w.policy, w.now)
	refused(t, "a generation that a later status forgets", err, ErrBadDepartmentKey)
	if _, err := w.trust.Judge(ana.Owner, w.policy, w.now-2*Minute); err != nil {
		t.Errorf("before its revocation the certificate did not hold: %v", err)
	}
}

// [E14] What is taken live is taken again as history, whatever its time: what
// would not be is not taken.
func TestAppend_TakenAgain(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	k, seat := w.accepted(ana)
	members := seat.Epoch().Members
	for _, at := range []uint64{0, w.now - Day, w.now - 2*Minute, w.now + 2*Minute, w.now + 12*Day, w.now + 30*Day, maxInteger} {
		epoch, _, err := seat.Change(ReasonRekey, members, at)
		if err != nil {
			t.Fatal(err)
		}
		reader := k.seat(ana.Keys, w.deptKeys)
		if _, err := reader.Append(epoch, w.now, true); err != nil {
			continue
		}
		again := k.seat(ana.Keys, w.deptKeys)
		if _, err := again.Append(epoch, w.now, false); err != nil {
			t.Errorf("an epoch of %d at %d is taken, and refused as history: %v", at, w.now, err)
		}
	}
}

// [E29, E27] A server takes nothing from the future, and counts by its own clock.
func TestServer_Clock(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	k, seat := w.accepted(ana)
	server, err := NewTranscript(w.trust, k.entries[0], Expect{Server: true}, w.now, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range k.entries[1:] {
		if _, err := server.Append(entry, w.now, true); err != nil {
			t.Fatal(err)
		}
	}
	rekey := func(at uint64) []byte {
		t.Helper()
		epoch, _, err := seat.Change(ReasonRekey, nil, at)
		if err != nil {
			t.Fatal(err)
		}
		return epoch
	}
	_, err = server.Append(rekey(w.now+10*Minute+1), w.now, true)
	refused(t, "an epoch of the future", err, ErrTimeUncertain)
	event, err := seat.Say(text("mañana"), w.now+Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Append(event, w.now, true)
	refused(t, "an event of the future", err, ErrTimeUncertain)
	// Two minutes after the last by its own time, at the same moment by the server's.
	_, err = server.Append(rekey(w.now+2*Minute), w.now, true)
	refused(t, "the same members again at once", err, ErrEpochBudget)
	if _, err := server.Append(rekey(w.now+2*Minute), w.now+2*Minute, true); err != nil {
		t.Error(err)
	}
}

// [E14] An entry above what a reader has seen did not happen long before that.
func TestHistory_NotBeforeSeen(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	k, seat := w.accepted(ana)
	kept := k.visitor.Kept()
	backdated, err := seat.Say(text("de antes"), w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.now += Hour
	w.revoke(ana.Owner)
	kept.At = w.now + Hour
	reader, err := NewTranscript(w.trust, k.entries[0], Expect{Kept: &kept}, w.now, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range k.entries[1:] {
		if _, err := reader.Append(entry, w.now, false); err != nil {
			t.Fatal(err)
		}
	}
	_, err = reader.Append(backdated, w.now+2*Hour, false)
	refused(t, "a backdated message above what was seen", err, ErrSenderRevoked)
}

// [E21] Where a person leaves, a department comes back with newer keys only.
func TestDepartment_ComesBackNewer(t *testing.T) {
	w := newWorld(t)
	w.policy = w.newPolicy(func(p *Policy) { p.Departments[0].Keep = true })
	w.now += 10 * Minute
	w.add(w.policy.Bytes())
	w.add(w.newStatus(nil).Bytes())
	ana := w.person(20, nil)
	k, _ := w.accepted(ana)
	members := k.visitor.Epoch().Members
	if len(members) != 3 {
		t.Fatalf("%d members, not the visitor, the department and the agent", len(members))
	}
	old := members[1]
	old.Leaf = k.visitor.NextLeaf()
	epoch, _, err := k.visitor.Change(ReasonMembers, []Member{members[0], old}, w.now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.visitor.Append(epoch, w.now, true)
	refused(t, "the same generation under another leaf", err, ErrDepartmentStale)
}
