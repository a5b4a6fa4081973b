package storetest

import (
	"errors"
	"io"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/directory"
)

// keyObject is the kind of a key object (protocol/SPEC.md, section 3).
const keyObject = 5

// Directory is the contract of [directory.Store].
func Directory[S interface {
	directory.Store
	io.Closer
}](t *testing.T, open Open[S],
) {
	folder := t.TempDir()
	s := open(t, folder)
	ctx := t.Context()
	old := directory.Object{Hash: id(1), Kind: 7, Bytes: []byte("policy"), Number: 1}
	newer := directory.Object{Hash: id(2), Kind: 7, Bytes: []byte("policy, newer"), Number: 2}
	keyA := directory.Object{Hash: id(3), Kind: keyObject, Owner: id(30), Bytes: []byte("key")}
	keyB := directory.Object{Hash: id(4), Kind: keyObject, Owner: id(30), Bytes: []byte("key, newer")}
	certificate := directory.Object{Hash: id(5), Kind: 8, Owner: id(30), Bytes: []byte("certificate")}
	must(t, s.PutObjects(ctx, newer, old, keyA, certificate))
	must(t, s.PutObjects(ctx))
	changed := keyA
	changed.Bytes = []byte("other bytes")
	must(t, s.PutObjects(ctx, changed, keyB))

	one := directory.Enrolment{ID: id(10), Invitation: [16]byte{1}, Request: []byte("one"), MAC: []byte("mac"), At: 5}
	two := directory.Enrolment{ID: id(11), Invitation: [16]byte{2}, Request: []byte("two"), MAC: []byte("mac"), At: 4}
	must(t, s.PutEnrolment(ctx, one))
	must(t, s.PutEnrolment(ctx, two))
	must(t, s.PutEnrolment(ctx, one)) // again
	thief := one
	thief.ID, thief.Request = id(12), []byte("another request")
	if err := s.PutEnrolment(ctx, thief); !errors.Is(err, directory.ErrInvitationUsed) {
		t.Errorf("a used invitation: got %v", err)
	}
	waiting, err := s.Enrolments(ctx, 10)
	must(t, err)
	equal(t, "enrolments", waiting, []directory.Enrolment{one, two})
	waiting, err = s.Enrolments(ctx, 1)
	must(t, err)
	equal(t, "one enrolment", waiting, []directory.Enrolment{one})
	must(t, s.SignEnrolment(ctx, one.ID, id(20)))
	one.Certificate = id(20)
	if err := s.SignEnrolment(ctx, id(99), id(20)); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("signing an unknown request: got %v", err)
	}

	must(t, s.PutDepartmentKey(ctx, id(40), id(50), []byte("wrap")))
	must(t, s.PutDepartmentKey(ctx, id(40), id(50), []byte("wrap to a newer key")))
	must(t, s.PutDepartmentKey(ctx, id(41), id(50), []byte("another device's")))

	check := func(s S) {
		t.Helper()
		objects, err := s.ObjectsByHash(ctx, [][32]byte{id(3), id(99), id(3), id(1)})
		must(t, err)
		equal(t, "by hash", objects, []directory.Object{keyA, old})
		objects, err = s.ObjectsOfKind(ctx, 7, 10)
		must(t, err)
		equal(t, "policies", objects, []directory.Object{newer, old})
		objects, err = s.ObjectsOfKind(ctx, 7, 1)
		must(t, err)
		equal(t, "newest policy", objects, []directory.Object{newer})
		objects, err = s.KeyObjects(ctx, id(30))
		must(t, err)
		equal(t, "key objects", objects, []directory.Object{keyB, keyA})

		waiting, err := s.Enrolments(ctx, 10)
		must(t, err)
		equal(t, "enrolments", waiting, []directory.Enrolment{two})
		e, err := s.EnrolmentByID(ctx, one.ID)
		must(t, err)
		equal(t, "enrolment", e, one)
		if _, err := s.EnrolmentByID(ctx, id(99)); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("an unknown request: got %v", err)
		}
		keys, err := s.DepartmentKeys(ctx, id(40))
		must(t, err)
		equal(t, "department keys", keys, []directory.DepartmentKey{{Certificate: id(50), Wrap: []byte("wrap to a newer key")}})
	}
	check(s)
	must(t, s.Close())
	check(open(t, folder))
}
