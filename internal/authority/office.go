// Package authority keeps an organisation's keys and certifies its people. It
// runs on the administrator's device: the server never has a key of it, and
// what the two exchange is public or sealed.
package authority

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/text/unicode/norm"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// How long what the office signs lasts, in days; protocol/SPEC.md, K6 and K11,
// sets the limits.
const (
	deviceDays        = 30
	sealedDeviceDays  = 14
	departmentDays    = 90
	departmentKeyDays = 60
	enrollerDays      = 400
	invitationDays    = 7

	maxAgeHours = 168 // a conversation that waited longer is not accepted

	// backdated lets clocks that are slow read what was just signed.
	backdated = 5 * seal.Minute
)

// maxDepartments is what one certificate and one policy can list.
const maxDepartments = 255

// Department is one that the organisation answers in.
type Department struct {
	ID   [16]byte
	Name string // at most 64 bytes
	Mode byte   // seal.Assisted or seal.Sealed
}

// Options say what an organisation begins with. Times are milliseconds since
// 1970, here and in the whole package.
type Options struct {
	Departments []Department
	StatusKey   [32]byte // the server's, by which it signs the status
	Server      []byte   // its request for its own certificate; none when it has not asked yet
	Custody     byte     // whose the office's device is: seal.Company or seal.Operator
	Now         uint64
}

// Office is what the administrator's device holds. It is not safe for
// concurrent use.
type Office struct {
	root  *root // nil until somebody opened it
	state state
	// keep saves the state before anything that rests on it leaves; nil for an
	// office that lives in memory.
	keep    func() error
	dirty   bool
	stamp   [32]byte          // hash of the file that the state is in
	refused map[[32]byte]bool // requests that were reported once
}

// root signs policies and enrollers.
type root struct {
	Format int      `json:"format"`
	Seed   [32]byte `json:"seed"`
	Next   [32]byte `json:"next"` // of the root key that the policy promises
}

// state is the office but for its root.
type state struct {
	Format      int          `json:"format"`
	Org         [32]byte     `json:"org"`
	Custody     byte         `json:"custody"`
	Policy      []byte       `json:"policy"`
	Enrollers   []enroller   `json:"enrollers"` // the newest is last, as in every list here
	Departments []department `json:"departments"`
	Devices     []device     `json:"devices"`
	Invitations []invitation `json:"invitations"`
	Outbox      []delivery   `json:"outbox"`
}

type enroller struct {
	Seed        [32]byte `json:"seed"`
	Certificate []byte   `json:"certificate"`
}

type department struct {
	ID          [16]byte     `json:"id"`
	Name        string       `json:"name"`
	Minimum     uint32       `json:"minimum"` // the lowest generation that counts
	Generations []generation `json:"generations"`
}

type generation struct {
	Signing     [32]byte `json:"signing"` // seeds
	KEM         [32]byte `json:"kem"`
	Certificate []byte   `json:"certificate"`
	KeyObject   []byte   `json:"keyObject"`
}

type device struct {
	Request      [32]byte   `json:"request"` // hash of its request
	Certificates [][]byte   `json:"certificates"`
	KeyObject    []byte     `json:"keyObject"` // none until it came
	Wrapped      [][32]byte `json:"wrapped"`   // certificates of departments whose keys KeyObject has
	Revoked      bool       `json:"revoked"`
}

type invitation struct {
	Secret      seal.Invitation `json:"secret"`
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Role        seal.Role       `json:"role"`
	Departments [][16]byte      `json:"departments"`
	Days        uint16          `json:"days"` // of the certificate
	Subject     [16]byte        `json:"subject,omitzero"`
	Ends        uint64          `json:"ends"`
	Used        bool            `json:"used"`
}

// New makes an organisation: a root, an enroller, a policy, and the first
// generation of each department's keys. They wait in the office until
// [Office.Serve] publishes them.
func New(options Options) (*Office, error) {
	if len(options.Departments) == 0 || len(options.Departments) > maxDepartments {
		return nil, fmt.Errorf("an organisation has 1 to %d departments, not %d", maxDepartments, len(options.Departments))
	}
	if options.Custody != seal.Company && options.Custody != seal.Operator {
		return nil, fmt.Errorf("custody is %d or %d, not %d", seal.Company, seal.Operator, options.Custody)
	}
	if err := seal.CheckPrimeOrder(options.StatusKey[:]); err != nil {
		return nil, fmt.Errorf("the server's status key: %w", err)
	}
	policy := &seal.Policy{
		Version: 1, Time: options.Now, MinVersion: 1, StatusKey: options.StatusKey,
		StatusCustody: seal.Operator, MaxCertDays: deviceDays,
	}
	o := &Office{root: &root{Format: format}, state: state{Format: format, Custody: options.Custody}}
	rand.Read(o.root.Seed[:])
	rand.Read(o.root.Next[:])
	rootKey := seal.PublicKey(o.root.key())
	o.state.Org = sha256.Sum256(rootKey[:])

	for _, d := range options.Departments {
		name, err := cleanName("a department's name", d.Name)
		if err != nil {
			return nil, err
		}
		rules := seal.DepartmentPolicy{
			ID: d.ID, Mode: d.Mode, Roles: 1<<seal.Agent | 1<<seal.Supervisor | 1<<seal.Department,
			MaxAgeHours: maxAgeHours, MaxCertDays: deviceDays,
			History: 1, // who is handed a conversation may be given what was said, by a grant that everybody sees
		}
		switch {
		case d.Mode != seal.Assisted && d.Mode != seal.Sealed:
			return nil, fmt.Errorf("the mode of department %q is %d or %d, not %d", name, seal.Assisted, seal.Sealed, d.Mode)
		case d.Mode == seal.Sealed && options.Custody == seal.Operator:
			return nil, fmt.Errorf("department %q cannot be sealed while the keys are in the operator's custody: keep them with the company, or make the department assisted", name)
		case d.Mode == seal.Sealed:
			rules.MaxCertDays = sealedDeviceDays
		}
		for _, other := range o.state.Departments {
			if other.ID == d.ID || other.Name == name {
				return nil, fmt.Errorf("department %q is given twice: keep one", name)
			}
		}
		policy.Departments = append(policy.Departments, rules)
		o.state.Departments = append(o.state.Departments, department{ID: d.ID, Name: name, Minimum: 1})
	}
	slices.SortFunc(policy.Departments, func(a, b seal.DepartmentPolicy) int { return bytes.Compare(a.ID[:], b.ID[:]) })

	o.newEnroller(options.Now)
	if options.Server != nil {
		if _, err := o.seat(options.Server, policy, options.Now); err != nil {
			return nil, err
		}
	}
	o.signPolicy(policy, options.Now)
	for i := range o.state.Departments {
		if err := o.newGeneration(&o.state.Departments[i], options.Now); err != nil {
			return nil, err
		}
	}
	o.state.Outbox = nil // everything follows, in its order
	for _, object := range o.Objects() {
		o.send(delivery{Kind: sendObject, Bytes: object})
	}
	return o, nil
}

// Org is the organisation's name.
func (o *Office) Org() [32]byte { return o.state.Org }

// Policy is the current policy.
func (o *Office) Policy() *seal.Policy { return mine[seal.Policy](o.state.Policy) }

// Custody says whose the office's device is, with the numbers of seal.
func (o *Office) Custody() byte { return o.state.Custody }

// HasRoot says whether the root is at hand, which [Office.Renew] needs when an
// enroller is due.
func (o *Office) HasRoot() bool { return o.root != nil }

// Departments are the organisation's, in the order in which they were given.
func (o *Office) Departments() []Department {
	policy := o.Policy()
	var all []Department
	for _, d := range o.state.Departments {
		all = append(all, Department{ID: d.ID, Name: d.Name, Mode: policy.Department(d.ID).Mode})
	}
	return all
}

// Objects are the public objects, in an order in which a [seal.Trust] takes
// them: the policy, then the certificates of enrollers, server and departments,
// then the departments' key objects.
func (o *Office) Objects() [][]byte {
	objects := [][]byte{o.state.Policy}
	for _, e := range o.state.Enrollers {
		objects = append(objects, e.Certificate)
	}
	if d := o.server(); d != nil {
		objects = append(objects, d.Certificates...)
	}
	var keys [][]byte
	for _, d := range o.state.Departments {
		for _, g := range d.Generations {
			objects, keys = append(objects, g.Certificate), append(keys, g.KeyObject)
		}
	}
	return append(objects, keys...)
}

func (r *root) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(r.Seed[:]) }

// mine reads an object that this package made itself, or read with its state.
func mine[T any, P interface {
	*T
	seal.Object
}](object []byte) *T {
	o := new(T)
	if err := seal.Parse(object, P(o)); err != nil {
		panic("authority: an object of the office cannot be read: " + err.Error())
	}
	return o
}

// certificate is the newest of a device.
func (d *device) certificate() *seal.Certificate {
	return mine[seal.Certificate](d.Certificates[len(d.Certificates)-1])
}

// issuer is the newest enroller.
func (o *Office) issuer() (*seal.Certificate, ed25519.PrivateKey) {
	e := o.state.Enrollers[len(o.state.Enrollers)-1]
	return mine[seal.Certificate](e.Certificate), ed25519.NewKeyFromSeed(e.Seed[:])
}

// newEnroller makes an enroller; a policy that lists it must follow.
func (o *Office) newEnroller(now uint64) {
	var e enroller
	rand.Read(e.Seed[:])
	x := &seal.Certificate{
		Org: o.state.Org, Kind: seal.Enroller, Custody: o.state.Custody,
		Rights: seal.RightDevices | seal.RightDepartments | seal.RightServices,
		Name:   "office", SigKey: seal.PublicKey(ed25519.NewKeyFromSeed(e.Seed[:])),
		NotBefore: now - backdated, NotAfter: now - backdated + enrollerDays*seal.Day, Issuer: o.state.Org,
	}
	rand.Read(x.Subject[:])
	rand.Read(x.Device[:])
	rand.Read(x.Serial[:])
	seal.Sign(x, o.state.Org, nil, o.root.key())
	e.Certificate = x.Bytes()
	o.state.Enrollers = append(o.state.Enrollers, e)
}

// signPolicy completes a policy with what the office knows, and takes it.
func (o *Office) signPolicy(p *seal.Policy, now uint64) {
	next := seal.PublicKey(ed25519.NewKeyFromSeed(o.root.Next[:]))
	p.Org, p.RootKey, p.NextRoot, p.Time = o.state.Org, seal.PublicKey(o.root.key()), sha256.Sum256(next[:]), now
	p.Enrollers = nil
	for _, e := range o.state.Enrollers {
		p.Enrollers = append(p.Enrollers, mine[seal.Certificate](e.Certificate).Hash())
	}
	seal.Sign(p, o.state.Org, nil, o.root.key())
	o.state.Policy = p.Bytes()
}

// newGeneration makes the next generation of a department's keys.
func (o *Office) newGeneration(d *department, now uint64) error {
	issuer, key := o.issuer()
	last, err := until(issuer, now, departmentDays)
	if err != nil {
		return err
	}
	secret := seal.NewDepartmentKey()
	signing, kem, err := secret.Keys()
	if err != nil {
		return fmt.Errorf("make keys of department %q: %w", d.Name, err)
	}
	x := &seal.Certificate{
		Org: o.state.Org, Kind: seal.Department, Custody: o.state.Custody, Subject: d.ID, Dept: d.ID,
		Generation: 1, Name: d.Name, SigKey: seal.PublicKey(signing),
		NotBefore: now - backdated, NotAfter: last, Issuer: issuer.Hash(),
	}
	if n := len(d.Generations); n > 0 {
		x.Generation = mine[seal.Certificate](d.Generations[n-1].Certificate).Generation + 1
	}
	rand.Read(x.Serial[:])
	seal.Sign(x, o.state.Org, nil, key)
	k := &seal.KeyObject{
		Org: o.state.Org, Owner: x.Hash(), KEMKey: [seal.KEMPublicKeySize]byte(kem.PublicKey().Bytes()),
		NotBefore: x.NotBefore, NotAfter: min(x.NotAfter, x.NotBefore+departmentKeyDays*seal.Day),
	}
	seal.Sign(k, o.state.Org, nil, signing)
	d.Generations = append(d.Generations, generation{
		Signing: secret.Signing, KEM: secret.KEM, Certificate: x.Bytes(), KeyObject: k.Bytes(),
	})
	return nil
}

// until is when something ends that is signed now for some days, and not later
// than its issuer.
func until(issuer *seal.Certificate, now uint64, days uint16) (uint64, error) {
	if issuer.NotAfter < now+seal.Day {
		return 0, errors.New("the office's own certificate ends within a day, so it can sign nothing that is of use: renew it with `aldaba keys renew`")
	}
	return min(now-backdated+uint64(days)*seal.Day, issuer.NotAfter), nil
}

// cleanName is a name in Unicode normalisation form C (protocol/SPEC.md,
// section 3), when it keeps P8.
func cleanName(what, name string) (string, error) {
	name = norm.NFC.String(name)
	if problem := seal.CheckName(name); problem != "" {
		return "", fmt.Errorf("%s %s", what, problem)
	}
	if name == "" {
		return "", fmt.Errorf("%s is missing: give one of 1 to 64 bytes", what)
	}
	return name, nil
}
