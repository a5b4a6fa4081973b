package seal

import (
	"errors"
	"strings"
	"testing"
)

// What a member asks before it makes anything, so that nothing is made that
// others refuse.
func TestBegin_Refuses(t *testing.T) {
	w := newWorld(t)
	if _, objects, err := Begin(w.trust, w.dept, w.now); err != nil || len(objects) != 5 {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	_, _, err := Begin(NewTrust(w.org, 0, false), w.dept, w.now)
	refused(t, "beginning without a policy", err, ErrPolicyRollback)
	_, _, err = Begin(w.trust, w.dept, w.now+24*Hour)
	refused(t, "beginning with a status that has ended", err, ErrStaleStatus)
	_, _, err = Begin(w.trust, [16]byte{1}, w.now)
	refused(t, "beginning in another department", err, ErrWrongDepartment)
	_, _, err = w.trust.DepartmentKeys([16]byte{1}, w.now)
	refused(t, "keys of another department", err, ErrBadDepartmentKey)
	_, _, err = NewTrust(w.org, 0, false).DepartmentKeys(w.dept, w.now)
	refused(t, "a department's keys without a policy", err, ErrPolicyRollback)
	_, _, err = w.trust.DepartmentKeys(w.dept, w.now+70*Day)
	refused(t, "a department's keys after the key object's end", err, ErrBadKeyObject)
	_, _, err = w.trust.DepartmentKeys(w.dept, w.now+90*Day)
	refused(t, "a department's keys after the certificate's end", err, ErrCertificateTime)
	second := w.generation(61, 2, w.dept)
	if x, k, err := w.trust.DepartmentKeys(w.dept, w.now); err != nil || x.Hash() != second.Owner || k.Hash() != second.keyObject.Hash() {
		t.Errorf("the newest generation is not taken: %v", err)
	}
	w.add(w.newStatus(func(s *Status) { s.Revoked = []Revocation{{Certificate: second.Owner}} }).Bytes())
	if x, _, err := w.trust.DepartmentKeys(w.dept, w.now); err != nil || x.Hash() != w.deptX.Hash() {
		t.Errorf("a revoked generation is in the way: %v", err)
	}
	w.change(func(d *DepartmentPolicy) {
		d.Roles |= 1 << Archive
		d.Mandatory = []Mandatory{{Archive, [16]byte{9}}}
	})
	_, _, err = Begin(w.trust, w.dept, w.now)
	refused(t, "beginning without the archive that the policy demands", err, ErrMandatoryMissing)
}

func TestSeat_Refuses(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	k := w.talk()
	seat := k.seat(ana.Keys, w.deptKeys)
	_, err := seat.Say(text("a"), w.now)
	refused(t, "a device outside the roster says something", err, ErrNotMember)
	_, _, err = seat.Change(ReasonRekey, nil, w.now)
	refused(t, "a device outside the roster makes an epoch", err, ErrNotMember)
	_, _, err = seat.Accept(ana.keyObject.Hash(), w.now+48*Hour+1)
	refused(t, "accepting a conversation that is too old", err, ErrGenesisAge)
	_, _, err = seat.Accept([32]byte{1}, w.now)
	refused(t, "accepting with a key object that nobody knows", err, ErrBadKeyObject)
	stranger := ana.Keys
	stranger.Owner = [32]byte{1}
	_, _, err = k.seat(stranger, w.deptKeys).Accept(ana.keyObject.Hash(), w.now)
	refused(t, "accepting with a certificate that nobody knows", err, ErrBadCertificate)
	_, err = seat.Open(1, ana.Owner, ana.KEM, k.wraps)
	refused(t, "opening an epoch that has not begun", err, ErrNotMember)

	agent := k.accept(ana)
	_, _, err = agent.Accept(ana.keyObject.Hash(), w.now)
	refused(t, "accepting when the department has left", err, ErrNotMember)
	k.post(k.forge(minus(2)), nil, nil)
	if _, err := agent.Take(k.entries[len(k.entries)-1], nil, w.now, true); err != nil {
		t.Fatal(err)
	}
	_, err = agent.Say(text("a"), w.now)
	refused(t, "a device that was removed says something", err, ErrLocked)
}

// [K17] An invitation is read in any case and spacing, and no slip of the pen
// gives another one.
func TestInvitation(t *testing.T) {
	for _, inv := range []Invitation{{}, {1, 2, 3}, {0xff, 15: 0xff}, NewInvitation()} {
		written := inv.String()
		for _, same := range []string{
			written, strings.ToLower(written), strings.ReplaceAll(written, "-", " "), strings.ReplaceAll(written, "-", ""),
			strings.ReplaceAll(written, "0", "o"), strings.ReplaceAll(written, "1", "l"), strings.ReplaceAll(written, "1", "I"),
		} {
			if got, err := ParseInvitation(same); err != nil || got != inv {
				t.Errorf("%q is read as %q: %v", same, got, err)
			}
		}
		for i, was := range written {
			for _, other := range "0123456789ABCDEFGHJKMNPQRSTVWXYZU*\n" {
				if was == '-' || other == was {
					continue
				}
				slip := written[:i] + string(other) + written[i+1:]
				if got, err := ParseInvitation(slip); !errors.Is(err, ErrInvitation) {
					t.Errorf("%q is read as %q for %q: %v", slip, got, written, err)
				}
			}
		}
		for _, bad := range []string{"", written[:34], written + "0", written + written} {
			if _, err := ParseInvitation(bad); !errors.Is(err, ErrInvitation) {
				t.Errorf("%q is read", bad)
			}
		}
	}
}
