package authority

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

const begin uint64 = 1_800_000_000_000

var (
	support = Department{ID: [16]byte{0xd1}, Name: "Support", Mode: seal.Sealed}
	sales   = Department{ID: [16]byte{0x0a}, Name: "Sales", Mode: seal.Assisted}
)

// server is an exchange that believes by the rules only: everything goes
// through a seal.Trust, with a status that the server signs.
type server struct {
	t       *testing.T
	key     ed25519.PrivateKey
	trust   *seal.Trust
	now     uint64
	status  seal.Status
	down    error  // what every act answers
	refuses string // a kind of act that fails

	seat     []byte // its request for a seat of its own
	requests []Request
	keys     [][]byte
	answers  map[[32]byte][]byte
	wraps    map[[2][32]byte][]byte
	acts     []string
}

func newServer(t *testing.T) *server {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &server{t: t, key: key, now: begin, answers: map[[32]byte][]byte{}, wraps: map[[2][32]byte][]byte{}}
}

func (s *server) act(what string) error {
	if s.refuses == what {
		return errors.New("the server does not want it")
	}
	s.acts = append(s.acts, what)
	return s.down
}

func (s *server) StatusKey(context.Context) ([32]byte, error)  { return seal.PublicKey(s.key), s.down }
func (s *server) Server(context.Context) ([]byte, error)       { return s.seat, s.down }
func (s *server) Requests(context.Context) ([]Request, error)  { return s.requests, s.down }
func (s *server) KeyObjects(context.Context) ([][]byte, error) { return s.keys, s.down }
func (s *server) sign() {
	policy := s.trust.Policy()
	fresh := seal.Status{
		Org: s.trust.Org(), PolicyVersion: policy.Version, PolicyHash: policy.Hash(), IssuedAt: s.now,
		NotAfter: s.now + 23*seal.Hour, Generations: s.status.Generations, Revoked: s.status.Revoked,
	}
	seal.Sign(&fresh, fresh.Org, nil, s.key)
	if err := s.trust.Add(fresh.Bytes()); err != nil {
		s.t.Fatal(err)
	}
	s.status = fresh
}

func (s *server) Publish(_ context.Context, objects ...[]byte) error {
	for _, object := range objects {
		if err := s.act(sendObject); err != nil {
			return err
		}
		if s.trust == nil {
			p := new(seal.Policy)
			if err := seal.Parse(object, p); err != nil {
				s.t.Fatal(err)
			}
			s.trust = seal.NewTrust(p.Org, 0, true)
		}
		if err := s.trust.Add(object); err != nil {
			s.t.Fatal(err)
		}
	}
	s.sign()
	return nil
}

func (s *server) Answer(_ context.Context, id [32]byte, certificate []byte) error {
	if err := s.act(sendAnswer); err != nil {
		return err
	}
	s.answers[id] = certificate
	return nil
}

func (s *server) Wrap(_ context.Context, device, department [32]byte, wrap []byte) error {
	if err := s.act(sendWrap); err != nil {
		return err
	}
	s.wraps[[2][32]byte{device, department}] = wrap
	return nil
}

func (s *server) Revoke(_ context.Context, certificate [32]byte) error {
	if err := s.act(sendRevoke); err != nil {
		return err
	}
	s.status.Revoked = append(s.status.Revoked, seal.Revocation{Certificate: certificate, Since: s.now})
	s.sign()
	return nil
}

func (s *server) Generation(_ context.Context, dept [16]byte, minimum uint32) error {
	if err := s.act(sendGeneration); err != nil {
		return err
	}
	s.status.Generations = append(s.status.Generations, seal.Generation{Dept: dept, Minimum: minimum, Since: s.now})
	s.sign()
	return nil
}

// browser is a person's device.
type browser struct {
	seal.Keys
	request   *seal.Enrolment
	mac       [32]byte
	keyObject *seal.KeyObject
}

func newBrowser(t *testing.T, o *Office, inv seal.Invitation, now uint64, edit func(*seal.Enrolment)) *browser {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{Keys: seal.Keys{Sign: key, KEM: map[[32]byte]hpke.PrivateKey{}}}
	b.request = &seal.Enrolment{Org: o.Org(), Invitation: inv.ID(), Kind: seal.Agent, SigKey: seal.PublicKey(key), Time: now}
	rand.Read(b.request.Subject[:])
	rand.Read(b.request.Device[:])
	if edit != nil {
		edit(b.request)
	}
	seal.Sign(b.request, b.request.Org, nil, key)
	b.mac = inv.MAC(b.request.Bytes())
	return b
}

func (b *browser) asked() Request { return Request{b.request.Hash(), b.request.Bytes(), b.mac} }

// certified takes the answer and makes a key object.
func (b *browser) certified(t *testing.T, s *server) {
	t.Helper()
	x := new(seal.Certificate)
	if err := seal.Parse(s.answers[b.request.Hash()], x); err != nil {
		t.Fatal(err)
	}
	b.Owner = x.Hash()
	k, err := b.NewKeyObject(s.trust, s.now, x.NotAfter)
	if err != nil {
		t.Fatal(err)
	}
	b.keyObject = k
	s.keys = append(s.keys, k.Bytes())
}

// open opens what the office wrapped of a department's newest keys.
func (b *browser) open(s *server, dept [16]byte) error {
	x, k, err := s.trust.DepartmentKeys(dept, s.now)
	if err != nil {
		return err
	}
	wrap := s.wraps[[2][32]byte{b.Owner, x.Hash()}]
	if wrap == nil {
		return errors.New("no wrap")
	}
	to := b.keyObject.Hash()
	_, err = seal.OpenDepartmentKey(wrap, x.Certificate, k, to, b.KEM[to])
	return err
}

func newOffice(t *testing.T, s *server, departments ...Department) *Office {
	t.Helper()
	if departments == nil {
		departments = []Department{support, sales}
	}
	o, err := New(Options{Departments: departments, StatusKey: seal.PublicKey(s.key), Custody: seal.Company, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func serve(t *testing.T, o *Office, s *server) Report {
	t.Helper()
	r, err := o.Serve(t.Context(), s, s.now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func invite(t *testing.T, o *Office, now uint64, name string, departments ...Department) seal.Invitation {
	t.Helper()
	who := Invite{Name: name, Role: seal.Agent}
	for _, d := range departments {
		who.Departments = append(who.Departments, d.ID)
	}
	inv, ends, err := o.Invite(who, now)
	if err != nil || ends != now+7*seal.Day {
		t.Fatal(ends, err)
	}
	return inv
}

// join enrols a person and gives the device its departments' keys.
func join(t *testing.T, o *Office, s *server, name string, departments ...Department) *browser {
	t.Helper()
	b := newBrowser(t, o, invite(t, o, s.now, name, departments...), s.now, nil)
	s.requests = append(s.requests, b.asked())
	if r := serve(t, o, s); len(r.Enrolled) != 1 || r.Enrolled[0].Name != name {
		t.Fatalf("got %+v", r)
	}
	b.certified(t, s)
	if r := serve(t, o, s); r.Wrapped < len(departments) {
		t.Fatalf("got %+v", r)
	}
	return b
}

// [K3] [K4] [K6] [K9] [K11] [K14] [K16] Everything that an office makes is
// good for whoever judges it.
func TestOffice_MakesWhatATrustBelieves(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	if o.Waiting() != len(o.Objects()) || len(o.Objects()) != 6 {
		t.Fatalf("%d wait, %d objects", o.Waiting(), len(o.Objects()))
	}
	if r := serve(t, o, s); r.Delivered != 6 || o.Waiting() != 0 {
		t.Fatalf("got %+v", r)
	}
	if err := s.trust.Live(s.now); err != nil {
		t.Fatal(err)
	}
	for _, d := range []Department{support, sales} {
		for _, at := range []uint64{begin - seal.Minute, begin, begin + 59*seal.Day} {
			s.now = at
			x, k, err := s.trust.DepartmentKeys(d.ID, at)
			if err != nil || x.Name != d.Name || x.Generation != 1 || k.NotAfter-k.NotBefore != 60*seal.Day || x.NotAfter-x.NotBefore != 90*seal.Day {
				t.Errorf("%s: %v, %v", d.Name, x, err)
			}
		}
		if rules := o.Policy().Department(d.ID); rules.Mode != d.Mode || rules.MaxAgeHours != 168 || rules.Roles != 1<<seal.Agent|1<<seal.Supervisor|1<<seal.Department {
			t.Errorf("got %+v", rules)
		}
	}
	s.now = begin
	ana := join(t, o, s, "Ana", support, sales)
	for _, d := range []Department{support, sales} {
		if err := ana.open(s, d.ID); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
	x, err := s.trust.Judge(ana.Owner, s.trust.Policy(), s.now)
	if err != nil || x.Name != "Ana" || x.Kind != seal.Agent || x.NotAfter-x.NotBefore != 14*seal.Day {
		t.Errorf("got %+v, %v", x, err)
	}
	if r := serve(t, o, s); !r.Quiet() {
		t.Errorf("a round without news did %+v", r)
	}
}

// A conversation from the visitor's first word to the agent's acceptance rests
// on nothing but the office's objects.
func TestOffice_CarriesAConversation(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	ana := join(t, o, s, "Ana", support)
	_, objects, err := seal.Begin(s.trust, support.ID, s.now)
	if err != nil {
		t.Fatal(err)
	}
	x, k, err := s.trust.DepartmentKeys(support.ID, s.now)
	if err != nil {
		t.Fatal(err)
	}
	to := ana.keyObject.Hash()
	secret, err := seal.OpenDepartmentKey(s.wraps[[2][32]byte{ana.Owner, x.Hash()}], x.Certificate, k, to, ana.KEM[to])
	if err != nil {
		t.Fatal(err)
	}
	sign, kem, err := secret.Keys()
	if err != nil {
		t.Fatal(err)
	}
	transcript, err := seal.NewTranscript(s.trust, objects[0], seal.Expect{}, s.now, true)
	if err != nil {
		t.Fatal(err)
	}
	seat := seal.NewSeat(transcript, ana.Keys, seal.Keys{Owner: x.Hash(), Sign: sign, KEM: map[[32]byte]hpke.PrivateKey{k.Hash(): kem}})
	if line, err := seat.Take(objects[2], objects[3:], s.now, true); err != nil || line.Hidden != nil {
		t.Fatal(line.Hidden, err)
	}
	epoch, wraps, err := seat.Accept(to, s.now+1000)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := seat.Take(epoch, wraps, s.now+1000, true); err != nil || line.Hidden != nil {
		t.Fatal(line.Hidden, err)
	}
}

// [K17] [K19] Only the person who was invited gets a certificate, once.
func TestOffice_RefusesRequests(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	ana := join(t, o, s, "Ana", support)
	for _, c := range []struct {
		name, want string
		request    func(inv seal.Invitation) (Request, uint64)
	}{
		{"another invitation", "not known", func(seal.Invitation) (Request, uint64) {
			return newBrowser(t, o, seal.NewInvitation(), begin, nil).asked(), begin
		}},
		{"another MAC", "prove", func(inv seal.Invitation) (Request, uint64) {
			r := newBrowser(t, o, inv, begin, nil).asked()
			r.MAC[0]++
			return r, begin
		}},
		{"a changed byte", "signature", func(inv seal.Invitation) (Request, uint64) {
			r := newBrowser(t, o, inv, begin, nil).asked()
			r.Request = slices.Clone(r.Request)
			r.Request[60]++
			r.MAC = inv.MAC(r.Request)
			return r, begin
		}},
		{"another organisation", "another organisation", func(inv seal.Invitation) (Request, uint64) {
			return newBrowser(t, o, inv, begin, func(e *seal.Enrolment) { e.Org[0]++ }).asked(), begin
		}},
		{"an old request", "24 hours", func(inv seal.Invitation) (Request, uint64) {
			return newBrowser(t, o, inv, begin, nil).asked(), begin + 24*seal.Hour
		}},
		{"after its end", "has ended", func(inv seal.Invitation) (Request, uint64) {
			now := begin + 7*seal.Day + 1
			return newBrowser(t, o, inv, now, nil).asked(), now
		}},
		{"somebody else's number", `"Ana" has`, func(inv seal.Invitation) (Request, uint64) {
			return newBrowser(t, o, inv, begin, func(e *seal.Enrolment) { e.Subject = ana.request.Subject }).asked(), begin
		}},
		{"somebody else's device", `"Ana" has`, func(inv seal.Invitation) (Request, uint64) {
			return newBrowser(t, o, inv, begin, func(e *seal.Enrolment) { e.Device = ana.request.Device }).asked(), begin
		}},
		{"an invitation that was used", "was used", func(inv seal.Invitation) (Request, uint64) {
			first := newBrowser(t, o, inv, begin, nil)
			if _, err := o.Enrol(first.request.Bytes(), first.mac, begin); err != nil {
				t.Fatal(err)
			}
			return newBrowser(t, o, inv, begin, nil).asked(), begin
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := invite(t, o, begin, "Bea", support)
			request, now := c.request(inv)
			before := len(o.Devices())
			if _, err := o.Enrol(request.Request, request.MAC, now); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if len(o.Devices()) != before {
				t.Error("a device came in")
			}
			// A good one still gets in.
			if c.want != "was used" && now == begin {
				good := newBrowser(t, o, inv, begin, nil)
				if _, err := o.Enrol(good.request.Bytes(), good.mac, begin); err != nil {
					t.Errorf("the invitation was spent: %v", err)
				}
			}
		})
	}
}

// A further device of a person comes in with an invitation that names the person.
func TestOffice_EnrolsFurtherDevicesOfAPerson(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s, support)
	ana := join(t, o, s, "Ana", support)
	subject := ana.request.Subject
	inv, _, err := o.Invite(Invite{Name: "Ana", Role: seal.Agent, Departments: [][16]byte{support.ID}, Subject: subject}, begin)
	if err != nil {
		t.Fatal(err)
	}
	other := newBrowser(t, o, inv, begin, nil)
	if _, err := o.Enrol(other.request.Bytes(), other.mac, begin); err == nil || !strings.Contains(err.Error(), "another person") {
		t.Errorf("a request of another person: %v", err)
	}
	phone := newBrowser(t, o, inv, begin, func(e *seal.Enrolment) { e.Subject = subject })
	certificate, err := o.Enrol(phone.request.Bytes(), phone.mac, begin)
	if err != nil {
		t.Fatal(err)
	}
	x := new(seal.Certificate)
	if err := seal.Parse(certificate, x); err != nil || x.Subject != subject || x.Device == ana.request.Device {
		t.Errorf("the certificate is of %x: %v", x.Subject, err)
	}
}

// [K19] A request with a key of mixed order is refused.
func TestOffice_RefusesAKeyOfMixedOrder(t *testing.T) {
	o := newOffice(t, newServer(t))
	inv := invite(t, o, begin, "Bea", support)
	b := newBrowser(t, o, inv, begin, func(e *seal.Enrolment) {
		// The base point plus the point of order 2 (RFC 8032, 5.1): (-x, -y).
		e.SigKey = [32]byte(bytes.Repeat([]byte{0x99}, 32))
		e.SigKey[0] = 0x95
	})
	if _, err := o.Enrol(b.request.Bytes(), b.mac, begin); !errors.Is(err, seal.ErrBadEnrolment) || !strings.Contains(err.Error(), "prime order") {
		t.Errorf("got %v", err)
	}
}

// [K12] [K14] A revoked device is refused, and its departments' keys are new.
func TestOffice_Revokes(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	ana, bea := join(t, o, s, "Ana", support, sales), join(t, o, s, "Bea", support)
	old, _, err := s.trust.DepartmentKeys(support.ID, s.now)
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.Revoke(bea.Owner, s.now)
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != "Bea" || !slices.Equal(r.Certificates, [][32]byte{bea.Owner}) || len(r.Wraps) != 1 || r.Wraps[0].Device != ana.Owner ||
		!slices.Equal(r.Generations, []seal.Generation{{Dept: support.ID, Minimum: 2}}) || len(r.Objects) != 2 {
		t.Errorf("got %+v", r)
	}
	s.acts = nil
	serve(t, o, s)
	if want := []string{sendRevoke, sendObject, sendObject, sendGeneration, sendWrap}; !slices.Equal(s.acts, want) {
		t.Errorf("the server heard %q, want %q", s.acts, want)
	}
	if _, err := s.trust.Judge(bea.Owner, s.trust.Policy(), s.now); !errors.Is(err, seal.ErrRevoked) {
		t.Errorf("got %v", err)
	}
	if _, err := s.trust.Judge(old.Hash(), s.trust.Policy(), s.now); !errors.Is(err, seal.ErrBadDepartmentKey) {
		t.Errorf("got %v", err)
	}
	if _, err := s.trust.Judge(ana.Owner, s.trust.Policy(), s.now); err != nil {
		t.Error(err)
	}
	fresh, _, err := s.trust.DepartmentKeys(support.ID, s.now)
	if err != nil || fresh.Generation != 2 {
		t.Fatalf("got %+v, %v", fresh, err)
	}
	if err := ana.open(s, support.ID); err != nil {
		t.Error(err)
	}
	if err := bea.open(s, support.ID); err == nil {
		t.Error("the revoked device has the new keys")
	}
	if x, _, err := s.trust.DepartmentKeys(sales.ID, s.now); err != nil || x.Generation != 1 {
		t.Errorf("a department that the device was not in changed: %v, %v", x, err)
	}
	// A newer key object changes nothing for it.
	s.now += seal.Minute
	bea.certified(t, s)
	serve(t, o, s)
	if err := bea.open(s, support.ID); err == nil {
		t.Error("the revoked device got the new keys later")
	}
	// Whoever comes later has the new keys and not the old ones.
	cleo := join(t, o, s, "Cleo", support)
	if err := cleo.open(s, support.ID); err != nil {
		t.Error(err)
	}
	if s.wraps[[2][32]byte{cleo.Owner, old.Hash()}] != nil {
		t.Error("a new device was given a generation that has ended")
	}
	for hash, want := range map[[32]byte]string{bea.Owner: "before", {}: "no device"} {
		if _, err := o.Revoke(hash, s.now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestOffice_Renews(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	ana := join(t, o, s, "Ana", support, sales)
	first := ana.Owner
	if r, err := o.Renew(s.now, false); err != nil || len(r.Objects) > 0 {
		t.Errorf("nothing is due, got %+v, %v", r, err)
	}
	s.now += 8 * seal.Day
	r, err := o.Renew(s.now, false)
	if err != nil || r.Enroller || r.Departments != nil || !slices.Equal(r.Devices, []string{"Ana"}) {
		t.Fatalf("got %+v, %v", r, err)
	}
	serve(t, o, s)
	ana.certified(t, s)
	if ana.Owner == first {
		t.Fatal("the device has its old certificate")
	}
	if r := serve(t, o, s); r.Wrapped != 2 {
		t.Errorf("got %+v", r)
	}
	x, err := s.trust.Judge(ana.Owner, s.trust.Policy(), s.now+13*seal.Day)
	if err != nil || x.SigKey != ana.request.SigKey || x.NotAfter-x.NotBefore != 14*seal.Day {
		t.Errorf("got %+v, %v", x, err)
	}

	// Everything, while the device's first certificate still lives.
	r, err = o.Renew(s.now, true)
	if err != nil || !r.Enroller || len(r.Departments) != 2 || len(r.Devices) != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	serve(t, o, s)
	policy := s.trust.Policy()
	if policy.Version != 2 || len(policy.Enrollers) != 2 || policy.Hash() != o.Policy().Hash() {
		t.Errorf("got %+v", policy)
	}
	for _, hash := range [][32]byte{first, ana.Owner} {
		if _, err := s.trust.Judge(hash, policy, s.now); err != nil {
			t.Errorf("what was before is refused: %v", err)
		}
	}
	if x, _, err := s.trust.DepartmentKeys(support.ID, s.now); err != nil || x.Generation != 2 {
		t.Errorf("got %+v, %v", x, err)
	}
	if err := ana.open(s, support.ID); err != nil {
		t.Error(err)
	}
	// A device is revoked with every certificate that it has.
	revoked, err := o.Revoke(first, s.now)
	if err != nil || len(revoked.Certificates) != 3 {
		t.Errorf("got %+v, %v", revoked, err)
	}
	if r, err := o.Renew(s.now, true); err != nil || len(r.Devices) != 0 {
		t.Errorf("a revoked device was renewed: %+v, %v", r, err)
	}
}

// An office that nobody used for a long time comes back with one renewal.
func TestOffice_RenewsAfterItsEnd(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	ana := join(t, o, s, "Ana", support)
	s.now += 500 * seal.Day
	if _, _, err := s.trust.DepartmentKeys(support.ID, s.now); err == nil {
		t.Fatal("the department's keys have no end")
	}
	r, err := o.Renew(s.now, false)
	if err != nil || !r.Enroller || len(r.Departments) != 2 || len(r.Devices) != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	serve(t, o, s)
	ana.certified(t, s)
	serve(t, o, s)
	if err := ana.open(s, support.ID); err != nil {
		t.Error(err)
	}
	if n := len(o.Policy().Enrollers); n != 1 {
		t.Errorf("the policy lists %d enrollers", n)
	}
}

func TestOffice_RenewNeedsTheRoot(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	o.root = nil
	if _, err := o.Renew(begin, true); !errors.Is(err, ErrNeedsRoot) {
		t.Errorf("got %v", err)
	}
	if _, err := o.Renew(begin+31*seal.Day, false); err != nil {
		t.Errorf("departments do not need it: %v", err)
	}
	// What the enroller signs late in its life does not outlive it.
	late := begin + 399*seal.Day - seal.Hour
	if _, _, err := o.Invite(Invite{Name: "Ana", Role: seal.Agent, Departments: [][16]byte{sales.ID}}, late); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, o, o.state.Invitations[0].Secret, late, nil)
	certificate, err := o.Enrol(b.request.Bytes(), b.mac, late)
	if err != nil {
		t.Fatal(err)
	}
	issuer, _ := o.issuer()
	if x := mine[seal.Certificate](certificate); x.NotAfter != issuer.NotAfter {
		t.Errorf("ends at %d, its issuer at %d", x.NotAfter, issuer.NotAfter)
	}
	if _, err := o.Revoke(mine[seal.Certificate](certificate).Hash(), late+seal.Day); err == nil || !strings.Contains(err.Error(), "renew") {
		t.Errorf("got %v", err)
	}
}

func TestOffice_Warns(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	join(t, o, s, "Ana", support)
	join(t, o, s, "Bea", sales)
	// Ends, in days: Ana 14, Bea 30, departments 60, enroller 400; less five minutes.
	for _, c := range []struct {
		day  uint64
		want map[string]Level
	}{
		{0, map[string]Level{"Ana": LevelGood, "Bea": LevelGood, "Support": LevelGood, "office": LevelGood}},
		{7, map[string]Level{"Ana": LevelWarn, "Bea": LevelGood, "Support": LevelGood}},
		{13, map[string]Level{"Ana": LevelUrgent}},
		{14, map[string]Level{"Ana": LevelEnded, "Bea": LevelGood}},
		{29, map[string]Level{"Bea": LevelUrgent, "Support": LevelGood}},
		{30, map[string]Level{"Support": LevelSoon, "office": LevelGood}},
		{53, map[string]Level{"Support": LevelWarn}},
		{59, map[string]Level{"Support": LevelUrgent}},
		{370, map[string]Level{"office": LevelSoon}},
		{393, map[string]Level{"office": LevelWarn}},
		{399, map[string]Level{"office": LevelUrgent}},
		{400, map[string]Level{"office": LevelEnded}},
	} {
		rows := o.Warnings(begin + c.day*seal.Day)
		if !slices.IsSortedFunc(rows, func(a, b Row) int { return int(int64(a.Ends) - int64(b.Ends)) }) || len(rows) != 5 {
			t.Errorf("day %d: %+v", c.day, rows)
		}
		for name, want := range c.want {
			i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == name })
			if rows[i].Level != want {
				t.Errorf("day %d, %s: got %+v, want %s", c.day, name, rows[i], want)
			}
		}
	}
	if rows := o.Warnings(begin); rows[0].Name != "Ana" || rows[0].Left != 13 {
		t.Errorf("got %+v", rows[0])
	}
}

func TestOffice_RefusesOptions(t *testing.T) {
	s := newServer(t)
	good := Options{Departments: []Department{support}, StatusKey: seal.PublicKey(s.key), Custody: seal.Company, Now: begin}
	for _, c := range []struct {
		name, want string
		edit       func(*Options)
	}{
		{"none", "1 to 255", func(o *Options) { o.Departments = nil }},
		{"twice", "twice", func(o *Options) { o.Departments = []Department{support, support} }},
		{"one name", "twice", func(o *Options) { o.Departments = []Department{support, {ID: [16]byte{9}, Name: "Support", Mode: 1}} }},
		{"mode", "mode", func(o *Options) { o.Departments = []Department{{Name: "a", Mode: 3}} }},
		{"name", "control", func(o *Options) { o.Departments = []Department{{Name: "a\n", Mode: 1}} }},
		{"no name", "missing", func(o *Options) { o.Departments = []Department{{Mode: 1}} }},
		{"long name", "64", func(o *Options) { o.Departments = []Department{{Name: strings.Repeat("a", 65), Mode: 1}} }},
		{"custody", "custody", func(o *Options) { o.Custody = 3 }},
		{"operator and sealed", "operator", func(o *Options) { o.Custody = seal.Operator }},
		{"status key", "status key", func(o *Options) { o.StatusKey = [32]byte{} }},
	} {
		options := good
		c.edit(&options)
		if _, err := New(options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name, want string
		who        Invite
	}{
		{"no name", "missing", Invite{Role: seal.Agent, Departments: [][16]byte{support.ID}}},
		{"title", "title", Invite{Name: "a", Title: "\u202e", Role: seal.Agent, Departments: [][16]byte{support.ID}}},
		{"role", "role", Invite{Name: "a", Role: seal.Bot, Departments: [][16]byte{support.ID}}},
		{"no department", "1 to 32", Invite{Name: "a", Role: seal.Agent}},
		{"unknown department", "no department", Invite{Name: "a", Role: seal.Agent, Departments: [][16]byte{{7}}}},
		{"twice", "twice", Invite{Name: "a", Role: seal.Agent, Departments: [][16]byte{support.ID, support.ID}}},
		{"days", "1 to 14", Invite{Name: "a", Role: seal.Agent, Departments: [][16]byte{support.ID}, Days: 15}},
	} {
		if _, _, err := newOffice(t, s).Invite(c.who, begin); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	// Names are composed (section 3), and one that lists the most departments fits.
	var many []Department
	var ids [][16]byte
	for i := range byte(32) {
		d := Department{ID: [16]byte{i}, Name: strings.Repeat("a", int(i)+1), Mode: seal.Assisted}
		many, ids = append(many, d), append(ids, d.ID)
	}
	o := newOffice(t, s, many...)
	slices.Reverse(ids)
	inv, _, err := o.Invite(Invite{Name: "Jose\u0301" + strings.Repeat("x", 58), Title: strings.Repeat("t", 64), Role: seal.Agent, Departments: ids}, begin)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, o, inv, begin, nil)
	certificate, err := o.Enrol(b.request.Bytes(), b.mac, begin)
	if err != nil || !strings.HasPrefix(mine[seal.Certificate](certificate).Name, "Jos\u00e9x") {
		t.Errorf("got %v", err)
	}
}

// What fails stays, and a revocation does not wait for it.
func TestServe_WhenTheServerFails(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	s.down = errors.New("down")
	if _, err := o.Serve(t.Context(), s, s.now); err == nil {
		t.Error("no error from a server that is down")
	}
	s.down = nil
	serve(t, o, s)
	ana := join(t, o, s, "Ana", support)
	bea := newBrowser(t, o, invite(t, o, s.now, "Bea", support), s.now, nil)
	s.requests = append(s.requests, bea.asked())
	if _, err := o.Revoke(ana.Owner, s.now); err != nil {
		t.Fatal(err)
	}
	s.refuses = sendAnswer
	if r, err := o.Serve(t.Context(), s, s.now); err == nil || len(r.Enrolled) != 1 || o.Waiting() != 1 {
		t.Errorf("got %+v, %v, %d wait", r, err, o.Waiting())
	}
	if _, err := s.trust.Judge(ana.Owner, s.trust.Policy(), s.now); !errors.Is(err, seal.ErrRevoked) {
		t.Error("the revocation waits")
	}
	s.refuses = ""
	if r := serve(t, o, s); r.Delivered != 1 || s.answers[bea.request.Hash()] == nil {
		t.Errorf("got %+v", r)
	}
	// A request that proves nothing is reported once and stops nobody.
	bad := newBrowser(t, o, seal.NewInvitation(), s.now, nil)
	s.requests = append([]Request{bad.asked()}, s.requests...)
	join(t, o, s, "Cleo", sales)
	if r := serve(t, o, s); !r.Quiet() {
		t.Errorf("got %+v", r)
	}
	other := newServer(t)
	if _, err := o.Serve(t.Context(), other, s.now); !errors.Is(err, ErrOtherServer) {
		t.Errorf("got %v", err)
	}
}

// [K16] Key objects that are not a device's own are passed over.
func TestServe_PassesOverKeyObjects(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	serve(t, o, s)
	b := newBrowser(t, o, invite(t, o, s.now, "Ana", support), s.now, nil)
	s.requests = append(s.requests, b.asked())
	serve(t, o, s)
	b.certified(t, s)
	good := s.keys[0]
	forged := slices.Clone(good)
	forged[len(forged)-1] ^= 1
	stranger := seal.Keys{Owner: [32]byte{1}, Sign: b.Sign, KEM: map[[32]byte]hpke.PrivateKey{}}
	unknown, err := stranger.NewKeyObject(s.trust, s.now, s.now+seal.Day)
	if err != nil {
		t.Fatal(err)
	}
	late, err := b.NewKeyObject(s.trust, s.now+seal.Day, s.now+2*seal.Day)
	if err != nil {
		t.Fatal(err)
	}
	s.keys = [][]byte{nil, []byte("x"), forged, unknown.Bytes(), late.Bytes()}
	if r := serve(t, o, s); r.Wrapped != 0 {
		t.Errorf("got %+v", r)
	}
	s.keys = append(s.keys, good)
	if r := serve(t, o, s); r.Wrapped != 1 {
		t.Errorf("got %+v", r)
	}
	if err := b.open(s, support.ID); err != nil {
		t.Error(err)
	}
}

func files(t *testing.T) Files {
	return Files{Folder: filepath.Join(t.TempDir(), "keys"), Passphrase: "correct horse", Work: 10}
}

func TestFiles_ComeBack(t *testing.T) {
	s := newServer(t)
	o := newOffice(t, s)
	f := files(t)
	recovery, err := f.Create(o)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(f.Folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if !slices.Equal(names, []string{"office.age", "recovery.age", "root.age"}) {
		t.Errorf("got %q", names)
	}
	if info, err := os.Stat(f.Folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	o, err = f.Open(false)
	if err != nil {
		t.Fatal(err)
	}
	if o.HasRoot() || o.Waiting() != 6 {
		t.Errorf("root %v, %d wait", o.HasRoot(), o.Waiting())
	}
	serve(t, o, s)
	b := newBrowser(t, o, invite(t, o, s.now, "Ana", support), s.now, nil)
	s.requests = append(s.requests, b.asked())
	serve(t, o, s)
	if o, err = f.Open(false); err != nil || o.Devices()[0].HasKeys { // before its key object came
		t.Fatal(err)
	}
	b.certified(t, s)
	serve(t, o, s)
	again, err := f.Open(true)
	if err != nil {
		t.Fatal(err)
	}
	if current, err := f.Current(again); err != nil || !current {
		t.Errorf("got %v, %v", current, err)
	}
	if d := again.Devices(); len(d) != 1 || d[0].Certificate != b.Owner || !d[0].HasKeys || again.Waiting() != 0 {
		t.Errorf("got %+v", d)
	}
	if _, err := again.Renew(s.now, true); err != nil {
		t.Error(err)
	}
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	if current, err := f.Current(o); err != nil || current {
		t.Errorf("got %v, %v", current, err)
	}
	// The recovery code opens the root, in groups of five characters.
	if groups := strings.Split(recovery, "-"); len(recovery) != 32+6 || len(groups) != 7 || len(groups[0]) != 5 {
		t.Errorf("got %q", recovery)
	}
	f.Passphrase = recovery
	var saved root
	if _, err := f.read(recoveryFile, &saved); err != nil || saved != *again.root {
		t.Errorf("got %v", err)
	}
	if _, err := f.Create(o); err == nil || !strings.Contains(err.Error(), "there are keys") {
		t.Errorf("got %v", err)
	}
}

func TestFiles_NeverWriteOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(path, []byte("after")); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "before" {
		t.Errorf("got %q, %v", content, err)
	}
	if err := replace(path, []byte("after")); err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "after" {
		t.Errorf("got %q, %v", content, err)
	}
}

// What an office signed is kept before the server hears of it.
func TestFiles_SaveBeforeTheServerHears(t *testing.T) {
	s := newServer(t)
	f := files(t)
	if _, err := f.Create(newOffice(t, s)); err != nil {
		t.Fatal(err)
	}
	o, err := f.Open(false)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, o, s)
	b := newBrowser(t, o, invite(t, o, s.now, "Ana", support), s.now, nil)
	s.requests = append(s.requests, b.asked())
	keep := o.keep
	o.keep = func() error { return errors.New("the disk is full") }
	if _, err := o.Serve(t.Context(), s, s.now); err == nil || s.answers[b.request.Hash()] != nil {
		t.Errorf("got %v, answered %v", err, s.answers[b.request.Hash()] != nil)
	}
	o.keep = keep
	serve(t, o, s)
	if s.answers[b.request.Hash()] == nil {
		t.Error("no answer")
	}
}

func TestFiles_Refuse(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		name, want string
		edit       func(t *testing.T, f *Files)
	}{
		{"another passphrase", "not the passphrase", func(_ *testing.T, f *Files) { f.Passphrase = "another horse" }},
		{"a changed byte", "damaged", func(t *testing.T, f *Files) {
			change(t, *f, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
		}},
		{"a cut", "damaged", func(t *testing.T, f *Files) {
			change(t, *f, func(b []byte) []byte { return b[:len(b)-20] })
		}},
		{"no age file", "damaged", func(t *testing.T, f *Files) {
			change(t, *f, func([]byte) []byte { return []byte("keys") })
		}},
		{"a newer format", "newer version", func(t *testing.T, f *Files) {
			change(t, *f, func([]byte) []byte { return encrypted(t, *f, map[string]any{"format": 2, "new": 1}) })
		}},
		{"an unknown member", "damaged", func(t *testing.T, f *Files) {
			change(t, *f, func([]byte) []byte { return encrypted(t, *f, map[string]any{"format": 1, "new": 1}) })
		}},
		{"an empty office", "damaged", func(t *testing.T, f *Files) {
			change(t, *f, func([]byte) []byte { return encrypted(t, *f, state{Format: 1}) })
		}},
		{"no file", "there are no keys", func(t *testing.T, f *Files) { os.Remove(filepath.Join(f.Folder, officeFile)) }},
		{"a file for all", "chmod 600", func(t *testing.T, f *Files) { os.Chmod(filepath.Join(f.Folder, officeFile), 0o640) }},
		{"a folder for all", "chmod 700", func(t *testing.T, f *Files) { os.Chmod(f.Folder, 0o750) }},
		{"another root", "two organisations", func(t *testing.T, f *Files) {
			other := Files{Folder: filepath.Join(t.TempDir(), "keys"), Passphrase: f.Passphrase, Work: f.Work}
			if _, err := other.Create(newOffice(t, s)); err != nil {
				t.Fatal(err)
			}
			os.Rename(filepath.Join(other.Folder, rootFile), filepath.Join(f.Folder, rootFile))
		}},
		{"the data folder", "in the server's data folder", func(_ *testing.T, f *Files) { f.Data = []string{f.Folder} }},
		{"inside the data folder", "in the server's data folder", func(_ *testing.T, f *Files) { f.Data = []string{filepath.Dir(f.Folder)} }},
		{"inside by a link", "in the server's data folder", func(t *testing.T, f *Files) {
			link := filepath.Join(t.TempDir(), "link")
			os.Symlink(f.Folder, link)
			f.Data, f.Folder = []string{filepath.Dir(f.Folder)}, link
		}},
		{"no folder", "--keys", func(_ *testing.T, f *Files) { f.Folder = "" }},
		{"a file as a folder", "is a file", func(t *testing.T, f *Files) {
			f.Folder = filepath.Join(t.TempDir(), "file")
			os.WriteFile(f.Folder, nil, 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := files(t)
			if _, err := f.Create(newOffice(t, s)); err != nil {
				t.Fatal(err)
			}
			c.edit(t, &f)
			if _, err := f.Open(true); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	// Next to the data is fine.
	f := files(t)
	f.Data = []string{f.Folder + "-of-the-server", filepath.Join(f.Folder, "data")}
	if _, err := f.Create(newOffice(t, s)); err != nil {
		t.Error(err)
	}
}

func change(t *testing.T, f Files, edit func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(f.Folder, officeFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, edit(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func encrypted(t *testing.T, f Files, content any) []byte {
	t.Helper()
	b, err := f.encrypt(content, f.Passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFiles_LockKeepsOthersOut(t *testing.T) {
	f := files(t)
	if _, err := f.Lock(t.Context()); err == nil || !strings.Contains(err.Error(), "no keys") {
		t.Errorf("got %v", err)
	}
	if err := os.Mkdir(f.Folder, 0o700); err != nil {
		t.Fatal(err)
	}
	unlock, err := f.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Lock(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	unlock()
	unlock, err = f.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// The exchange by files carries the same as one in memory.
func TestFolder_CarriesEverything(t *testing.T) {
	s := newServer(t)
	e := t.TempDir()
	out, in := filepath.Join(e, "out"), filepath.Join(e, "in")
	put := func(name string, content []byte) {
		t.Helper()
		if err := os.MkdirAll(out, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := Folder(e)
	if _, err := x.StatusKey(t.Context()); err == nil || !strings.Contains(err.Error(), "aldaba run") {
		t.Errorf("got %v", err)
	}
	put("status.pub", []byte(strings.Repeat("zz", 32)+"\n"))
	if _, err := x.StatusKey(t.Context()); err == nil {
		t.Error("a status key that is none")
	}
	put("status.pub", []byte(hexOf(seal.PublicKey(s.key))+"\n"))
	if key, err := x.StatusKey(t.Context()); err != nil || key != seal.PublicKey(s.key) {
		t.Errorf("got %x, %v", key, err)
	}
	o := newOffice(t, s)
	b := newBrowser(t, o, invite(t, o, s.now, "Ana", support), s.now, nil)
	put(hexOf(b.request.Hash())+".request", wire.AppendList(nil, b.request.Bytes(), b.mac[:]))
	put(".half.request", []byte("x"))
	round := func() Report {
		t.Helper()
		r, err := o.Serve(t.Context(), x, s.now)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := round(); len(r.Enrolled) != 1 {
		t.Fatalf("got %+v", r)
	}
	read := func(name string) []byte {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(in, name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	for _, object := range o.Objects() {
		if err := s.Publish(t.Context(), read(hexOf(sha256.Sum256(object))+".object")); err != nil {
			t.Fatal(err)
		}
	}
	s.answers[b.request.Hash()] = read(hexOf(b.request.Hash()) + ".answer")
	if err := s.trust.Add(s.answers[b.request.Hash()]); err != nil {
		t.Fatal(err)
	}
	b.certified(t, s)
	put(hexOf(b.keyObject.Hash())+".object", b.keyObject.Bytes())
	if r := round(); r.Wrapped != 1 {
		t.Fatalf("got %+v", r)
	}
	dept, _, err := s.trust.DepartmentKeys(support.ID, s.now)
	if err != nil {
		t.Fatal(err)
	}
	s.wraps[[2][32]byte{b.Owner, dept.Hash()}] = read(hexOf(b.Owner) + "." + hexOf(dept.Hash()) + ".wrap")
	if err := b.open(s, support.ID); err != nil {
		t.Error(err)
	}
	if _, err := o.Revoke(b.Owner, s.now); err != nil {
		t.Fatal(err)
	}
	round()
	if c := read(hexOf(b.Owner) + ".revoke"); len(c) != 0 {
		t.Errorf("got %q", c)
	}
	read("d1000000000000000000000000000000.2.generation")
	entries, err := os.ReadDir(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("%s stayed", entry.Name())
		}
	}
	put("0.request", []byte("x"))
	if _, err := o.Serve(t.Context(), x, s.now); err == nil || !strings.Contains(err.Error(), "0.request") {
		t.Errorf("got %v", err)
	}
	os.Remove(filepath.Join(out, "0.request"))
	put("0.object", make([]byte, 4096))
	if _, err := o.Serve(t.Context(), x, s.now); err == nil || !strings.Contains(err.Error(), "0.object") {
		t.Errorf("got %v", err)
	}
}

func hexOf(hash [32]byte) string { return hex.EncodeToString(hash[:]) }
