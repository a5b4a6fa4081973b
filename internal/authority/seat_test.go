package authority

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"errors"
	"slices"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// sitting is a server's own key, by a seed.
func sitting(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// seats makes the key object of the server's newest certificate, as the server does.
func (s *server) seats(t *testing.T, key ed25519.PrivateKey) seal.Keys {
	t.Helper()
	x := s.trust.CertificatesOf(seal.PublicKey(key))[0]
	keys := seal.Keys{Owner: x.Hash(), Sign: key, KEM: map[[32]byte]hpke.PrivateKey{}}
	k, err := keys.NewKeyObject(s.trust, x.NotBefore, x.NotAfter)
	if err != nil {
		t.Fatal(err)
	}
	s.keys = append(s.keys, k.Bytes())
	return keys
}

// listed are the mandatory members of a department's policy.
func listed(o *Office, d Department) []seal.Mandatory { return o.Policy().Department(d.ID).Mandatory }

// [E15] [E16] [E26] The server that asked before the organisation was made is a
// member of assisted conversations from their first epoch on, and of no sealed one.
func TestSeat_FromTheFirstPolicyOn(t *testing.T) {
	s := newServer(t)
	key := sitting(1)
	o, err := New(Options{
		Departments: []Department{support, sales}, StatusKey: seal.PublicKey(s.key), Custody: seal.Company, Now: s.now,
		Server: seal.NewServerRequest(key),
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, o, s)
	if o.Policy().Version != 1 || o.WantsSeat() || len(listed(o, sales)) != 1 || len(listed(o, support)) != 0 {
		t.Fatalf("got version %d, sales %v, support %v", o.Policy().Version, listed(o, sales), listed(o, support))
	}
	if _, _, err := seal.Begin(s.trust, sales.ID, s.now); !errors.Is(err, seal.ErrMandatoryMissing) {
		t.Errorf("a conversation begins before the server has its key object: %v", err)
	}
	keys := s.seats(t, key)
	x, err := s.trust.Judge(keys.Owner, s.trust.Policy(), s.now)
	if err != nil || x.Kind != seal.Server || x.Custody != seal.Operator || len(x.Departments) != 0 || x.NotAfter-x.NotBefore != 30*seal.Day {
		t.Fatalf("got %+v, %v", x, err)
	}
	seat, objects, err := seal.Begin(s.trust, sales.ID, s.now)
	if err != nil {
		t.Fatal(err)
	}
	if members := seat.Epoch().Members; len(members) != 3 || members[2].Role != seal.Server || members[2].Certificate != keys.Owner {
		t.Fatalf("got %+v", members)
	}
	transcript, err := seal.NewTranscript(s.trust, objects[0], seal.Expect{}, s.now, true)
	if err != nil {
		t.Fatal(err)
	}
	server := seal.NewSeat(transcript, keys)
	if line, err := server.Take(objects[2], objects[3:], s.now, true); err != nil || line.Hidden != nil {
		t.Errorf("the server does not open its wrap: %v %v", line.Hidden, err)
	}

	// The same members in a sealed department are refused, whoever signs.
	sealedSeat, _, err := seal.Begin(s.trust, support.ID, s.now)
	if err != nil || len(sealedSeat.Epoch().Members) != 2 {
		t.Fatalf("%v %v", sealedSeat, err)
	}
	if r := serve(t, o, s); r.Wrapped != 0 || len(s.wraps) != 0 {
		t.Errorf("the server was given departments' keys: %+v", r)
	}
}

// An organisation works before its server asks, and lists it when it does.
func TestSeat_WhenTheServerAsksLater(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	if _, _, err := seal.Begin(s.trust, sales.ID, s.now); err != nil || !o.WantsSeat() {
		t.Fatalf("without a server: %v", err)
	}
	key := sitting(1)
	s.seat = seal.NewServerRequest(key)

	whole := o.root
	o.root = nil
	r := serve(t, o, s)
	if len(r.Refused) != 1 || !errors.Is(r.Refused[0].Cause, ErrSeatNeedsRoot) || o.Policy().Version != 1 {
		t.Errorf("without the root: %+v", r)
	}
	if r := serve(t, o, s); !r.Quiet() {
		t.Errorf("it is said once: %+v", r)
	}
	o.root = whole
	r = serve(t, o, s)
	if len(r.Enrolled) != 1 || r.Enrolled[0].Role != seal.Server || o.Policy().Version != 2 || o.WantsSeat() {
		t.Fatalf("got %+v, version %d", r, o.Policy().Version)
	}
	if hash := o.Policy().Hash(); s.trust.Policy().Hash() != hash {
		t.Error("the server does not know the policy")
	}
	s.seats(t, key)
	if r := serve(t, o, s); !r.Quiet() || !o.Devices()[0].HasKeys {
		t.Errorf("a round without news: %+v", r)
	}

	// Renewed like a device: the same key and seat, another certificate.
	s.now += 16 * seal.Day
	renewal, err := o.Renew(s.now, false)
	if err != nil || !slices.Equal(renewal.Devices, []string{serverName}) {
		t.Fatalf("got %+v, %v", renewal, err)
	}
	serve(t, o, s)
	if len(s.trust.CertificatesOf(seal.PublicKey(key))) != 2 || o.Policy().Version != 2 || slices.Contains(s.acts, sendAnswer) {
		t.Errorf("version %d, acts %q", o.Policy().Version, s.acts)
	}
	s.seats(t, key)
	if _, _, err := seal.Begin(s.trust, sales.ID, s.now); err != nil {
		t.Error(err)
	}
}

// Another key takes the seat only after the first one was revoked, and the
// policy stays as it is.
func TestSeat_UnderAnotherKey(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	first, second := sitting(1), sitting(2)
	s.seat = seal.NewServerRequest(first)
	serve(t, o, s)
	version := o.Policy().Version
	s.seat = seal.NewServerRequest(second)
	if r := serve(t, o, s); len(r.Refused) != 1 || !errors.Is(r.Refused[0].Cause, ErrOtherSeat) {
		t.Fatalf("got %+v", r)
	}
	if _, err := o.Revoke(o.Devices()[0].Certificate, s.now); err != nil {
		t.Fatal(err)
	}
	if err := o.Seat(seal.NewServerRequest(first), s.now); !errors.Is(err, ErrSeatRevoked) {
		t.Errorf("a revoked key comes back: %v", err)
	}
	if r := serve(t, o, s); len(r.Enrolled) != 1 {
		t.Fatalf("got %+v", r)
	}
	s.seats(t, second)
	seat, _, err := seal.Begin(s.trust, sales.ID, s.now)
	if err != nil || o.Policy().Version != version || seat.Epoch().Members[2].Role != seal.Server {
		t.Errorf("version %d, not %d; %v", o.Policy().Version, version, err)
	}
}

// [K17] [K19] What is not a server's own request gets no seat.
func TestSeat_RefusesOtherRequests(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	for _, c := range []struct {
		name   string
		change func(*seal.Enrolment)
	}{
		{"a person's", func(e *seal.Enrolment) { e.Kind = seal.Agent }},
		{"one with an invitation", func(e *seal.Enrolment) { e.Invitation[0] = 1 }},
		{"one for an organisation", func(e *seal.Enrolment) { e.Org = o.Org() }},
		{"one with a time", func(e *seal.Enrolment) { e.Time = 1 }},
		{"one that another key signed", func(e *seal.Enrolment) { e.SigKey = seal.PublicKey(sitting(2)) }},
	} {
		e := new(seal.Enrolment)
		if err := seal.Parse(seal.NewServerRequest(sitting(1)), e); err != nil {
			t.Fatal(err)
		}
		c.change(e)
		seal.Sign(e, e.Org, nil, sitting(1))
		if err := o.Seat(e.Bytes(), s.now); !errors.Is(err, seal.ErrBadEnrolment) || len(o.Devices()) > 0 {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// Where every department is sealed there is no seat to take.
	sealedOnly := newOffice(t, s, support)
	if err := sealedOnly.Seat(seal.NewServerRequest(sitting(1)), s.now); err != nil || len(sealedOnly.Devices()) > 0 || sealedOnly.Policy().Version != 1 {
		t.Errorf("a seat in a sealed organisation: %v", err)
	}
}
