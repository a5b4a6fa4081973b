package authority

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// Invite is what an invitation says of the person who will have it.
type Invite struct {
	Name        string    // at most 64 bytes
	Title       string    // at most 64 bytes, or none
	Role        seal.Role // seal.Agent or seal.Supervisor
	Departments [][16]byte
	Days        uint16 // how long the certificate lasts; 0 is as long as the departments allow
	// Subject is the person whose further device this is; zero is a new person.
	Subject [16]byte
}

// maxInCertificate is how many departments one person's certificate may list,
// so that it keeps its limit of 1024 bytes.
const maxInCertificate = 32

// Invite draws an invitation for a person, which is good once and for seven
// days, and says when it ends. It is a secret: hand it over outside the server.
func (o *Office) Invite(who Invite, now uint64) (secret seal.Invitation, ends uint64, err error) {
	name, err := cleanName("name", who.Name)
	if err != nil {
		return secret, 0, err
	}
	title := who.Title
	if title != "" {
		if title, err = cleanName("title", who.Title); err != nil {
			return secret, 0, err
		}
	}
	if who.Role != seal.Agent && who.Role != seal.Supervisor {
		return secret, 0, fmt.Errorf("role is %d (agent) or %d (supervisor), not %d", seal.Agent, seal.Supervisor, who.Role)
	}
	if n := len(who.Departments); n == 0 || n > maxInCertificate {
		return secret, 0, fmt.Errorf("a person has 1 to %d departments, not %d", maxInCertificate, n)
	}
	policy := o.Policy()
	longest := policy.MaxCertDays
	departments := slices.Clone(who.Departments)
	slices.SortFunc(departments, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	for i, id := range departments {
		rules := policy.Department(id)
		if rules == nil {
			return secret, 0, fmt.Errorf("there is no department %x", id)
		}
		if i > 0 && departments[i-1] == id {
			return secret, 0, errors.New("a department is given twice: keep one")
		}
		longest = min(longest, rules.MaxCertDays)
	}
	days := who.Days
	if days == 0 {
		days = longest
	}
	if days > longest {
		return secret, 0, fmt.Errorf("days is 1 to %d in these departments, not %d", longest, days)
	}
	inv := invitation{
		Secret: seal.NewInvitation(), Name: name, Title: title, Role: who.Role,
		Departments: departments, Days: days, Subject: who.Subject, Ends: now + invitationDays*seal.Day,
	}
	// Those that nobody took are forgotten a while after their end, so that a
	// late request still hears why it is refused.
	o.state.Invitations = slices.DeleteFunc(o.state.Invitations, func(i invitation) bool {
		return !i.Used && now > i.Ends+30*seal.Day
	})
	o.state.Invitations = append(o.state.Invitations, inv)
	o.dirty = true
	return inv.Secret, inv.Ends, nil
}

// Enrol signs the certificate of a device whose request proves an invitation
// (K17, K19). The invitation is used from then on.
func (o *Office) Enrol(request []byte, mac [32]byte, now uint64) (certificate []byte, err error) {
	e, err := seal.ReadEnrolment(request, o.state.Org)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(o.state.Invitations, func(i invitation) bool { return i.Secret.ID() == e.Invitation })
	if i < 0 {
		return nil, seal.ErrBadEnrolment.Because("the invitation is not known here: make one with `aldaba keys invite`")
	}
	inv := &o.state.Invitations[i]
	if _, err := seal.CheckEnrolment(request, mac, inv.Secret, o.state.Org, now); err != nil {
		return nil, err
	}
	switch {
	case inv.Used:
		return nil, seal.ErrBadEnrolment.Because("the invitation of %q was used by another device: make a new one", inv.Name)
	case now > inv.Ends:
		return nil, seal.ErrBadEnrolment.Because("the invitation of %q has ended: make a new one", inv.Name)
	}
	// A request draws its own numbers, but for the person of a further device.
	// Those of somebody else would let this device speak as that person.
	further := inv.Subject != [16]byte{}
	if further && e.Subject != inv.Subject {
		return nil, seal.ErrBadEnrolment.Because("the invitation is for a further device of %q, and the request names another person", inv.Name)
	}
	for i := range o.state.Devices {
		if x := o.state.Devices[i].certificate(); !further && x.Subject == e.Subject || x.Device == e.Device || x.SigKey == e.SigKey {
			return nil, seal.ErrBadEnrolment.Because("the request names the person, device or key of a certificate that %q has", x.Name)
		}
	}
	x := &seal.Certificate{
		Kind: inv.Role, Custody: seal.Company, Subject: e.Subject, Device: e.Device,
		Departments: inv.Departments, Name: inv.Name, Title: inv.Title, SigKey: e.SigKey,
	}
	if err := o.certify(x, inv.Days, now); err != nil {
		return nil, err
	}
	inv.Used = true
	id := sha256.Sum256(request)
	o.keepDevice(id, x)
	return x.Bytes(), nil
}

// keepDevice keeps the first certificate that was signed for a request.
func (o *Office) keepDevice(request [32]byte, x *seal.Certificate) {
	o.state.Devices = append(o.state.Devices, device{Request: request, Certificates: [][]byte{x.Bytes()}})
	o.answer(&o.state.Devices[len(o.state.Devices)-1])
	o.dirty = true
}

// certify signs a device's certificate from now on.
func (o *Office) certify(x *seal.Certificate, days uint16, now uint64) error {
	issuer, key := o.issuer()
	last, err := until(issuer, now, days)
	if err != nil {
		return err
	}
	x.Org, x.NotBefore, x.NotAfter, x.Issuer = o.state.Org, now-backdated, last, issuer.Hash()
	rand.Read(x.Serial[:])
	seal.Sign(x, o.state.Org, nil, key)
	return nil
}

// Wrap is a department's keys for one device.
type Wrap struct {
	Device     [32]byte // hash of the device's certificate
	Department [32]byte // hash of the department's certificate
	Bytes      []byte
}

// DepartmentWraps encrypts, for a device's key object, the keys of each
// department that its certificate lists: every generation that counts and that
// a waiting conversation may still name.
func (o *Office) DepartmentWraps(certificate *seal.Certificate, keyObject *seal.KeyObject, now uint64) ([]Wrap, error) {
	return o.wraps(certificate, keyObject, nil, now)
}

// wraps leaves out what the device has.
func (o *Office) wraps(certificate *seal.Certificate, keyObject *seal.KeyObject, has [][32]byte, now uint64) ([]Wrap, error) {
	var wraps []Wrap
	for _, d := range o.state.Departments {
		if !slices.Contains(certificate.Departments, d.ID) {
			continue
		}
		for _, g := range d.Generations {
			x := mine[seal.Certificate](g.Certificate)
			if x.Generation < d.Minimum || now > x.NotAfter || slices.Contains(has, x.Hash()) {
				continue
			}
			w, err := seal.DepartmentKey{Signing: g.Signing, KEM: g.KEM}.Wrap(x, keyObject)
			if err != nil {
				return nil, fmt.Errorf("encrypt the keys of department %q for %q: %w", d.Name, certificate.Name, err)
			}
			wraps = append(wraps, Wrap{certificate.Hash(), x.Hash(), w})
		}
	}
	return wraps, nil
}

// give makes the wraps that a device has not, and sends them.
func (o *Office) give(d *device, now uint64) ([]Wrap, error) {
	if d.Revoked || len(d.KeyObject) == 0 {
		return nil, nil
	}
	k := mine[seal.KeyObject](d.KeyObject)
	if now > k.NotAfter {
		return nil, nil
	}
	wraps, err := o.wraps(d.owner(k), k, d.Wrapped, now)
	if err != nil {
		return nil, err
	}
	for _, w := range wraps {
		d.Wrapped = append(d.Wrapped, w.Department)
		o.send(delivery{Kind: sendWrap, To: w.Device, Department: w.Department, Bytes: w.Bytes})
		o.dirty = true
	}
	return wraps, nil
}

// owner is the certificate that a key object of the device belongs to, or nil.
func (d *device) owner(k *seal.KeyObject) *seal.Certificate {
	for _, c := range d.Certificates {
		if x := mine[seal.Certificate](c); x.Hash() == k.Owner {
			return x
		}
	}
	return nil
}
