package authority

import (
	"errors"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// ErrNeedsRoot says that an enroller is due, which only the root can sign.
var ErrNeedsRoot = errors.New("the office's own certificate is to be renewed, and that needs the root: open it too")

// Renewal is what a renewal made.
type Renewal struct {
	Enroller    bool     // a new enroller, with the next version of the policy
	Departments []string // names of those with a new generation of keys
	Devices     []string // names on the certificates that were signed again
	Objects     [][]byte // what is public of it
}

// Renew renews what has lived more than half of its time, or with all
// everything: enroller and policy, the departments' keys as a next generation,
// and the certificates of devices. A device keeps its key; only the times on
// its certificate change, and the answer to its request. What was before stays
// good until its own end.
func (o *Office) Renew(now uint64, all bool) (Renewal, error) {
	due := func(from, to uint64) bool { return all || now > from+(to-from)/2 }
	var r Renewal
	if issuer, _ := o.issuer(); due(issuer.NotBefore, issuer.NotAfter) {
		if o.root == nil {
			return r, ErrNeedsRoot
		}
		o.dropEnded(now)
		o.newEnroller(now)
		policy := o.Policy()
		policy.Version++
		o.signPolicy(policy, now)
		r.Enroller = true
		// The certificate stands before the policy that lists it.
		r.Objects = append(r.Objects, o.state.Enrollers[len(o.state.Enrollers)-1].Certificate, o.state.Policy)
	}
	for i := range o.state.Departments {
		d := &o.state.Departments[i]
		if k := mine[seal.KeyObject](d.newest().KeyObject); !due(k.NotBefore, k.NotAfter) {
			continue
		}
		if err := o.newGeneration(d, now); err != nil {
			return r, err
		}
		r.Departments = append(r.Departments, d.Name)
		r.Objects = append(r.Objects, d.newest().Certificate, d.newest().KeyObject)
	}
	for _, object := range r.Objects {
		o.send(delivery{Kind: sendObject, Bytes: object})
	}
	policy := o.Policy()
	for i := range o.state.Devices {
		d := &o.state.Devices[i]
		x := d.certificate()
		if d.Revoked || !due(x.NotBefore, x.NotAfter) {
			continue
		}
		// As long as it lasted, unless the policy has become stricter.
		days := uint16(min((x.NotAfter-x.NotBefore+seal.Day-1)/seal.Day, deviceDays))
		for _, id := range x.Departments {
			if rules := policy.Department(id); rules != nil {
				days = min(days, rules.MaxCertDays)
			}
		}
		if err := o.certify(x, days, now); err != nil {
			return r, err
		}
		d.Certificates = append(d.Certificates, x.Bytes())
		r.Devices, r.Objects = append(r.Devices, x.Name), append(r.Objects, x.Bytes())
		o.answer(d)
	}
	for i := range o.state.Devices {
		if _, err := o.give(&o.state.Devices[i], now); err != nil {
			return r, err
		}
	}
	o.dirty = o.dirty || len(r.Objects) > 0
	return r, nil
}

// dropEnded forgets enrollers that signed nothing that is still good.
func (o *Office) dropEnded(now uint64) {
	o.state.Enrollers = slices.DeleteFunc(o.state.Enrollers, func(e enroller) bool {
		return now > mine[seal.Certificate](e.Certificate).NotAfter
	})
}

func (d *department) newest() *generation { return &d.Generations[len(d.Generations)-1] }

// Revocation is what a revocation made.
type Revocation struct {
	Name         string            // on the certificate
	Certificates [][32]byte        // hashes of what is revoked: every certificate of the device
	Generations  []seal.Generation // the first that count from now on
	Objects      [][]byte          // certificates and key objects of these generations
	Wraps        []Wrap            // their keys for the devices that remain
}

// ErrNoDevice says that no device has a certificate with this hash.
var ErrNoDevice = errors.New("no device has this certificate: `aldaba keys status` lists them")

// Revoke ends a device, named by any of its certificates, and the generations
// of department keys that it could use: each of its departments gets the next
// one, encrypted for the devices that remain.
func (o *Office) Revoke(certificate [32]byte, now uint64) (Revocation, error) {
	i := slices.IndexFunc(o.state.Devices, func(d device) bool {
		return slices.ContainsFunc(d.Certificates, func(c []byte) bool {
			return mine[seal.Certificate](c).Hash() == certificate
		})
	})
	if i < 0 {
		return Revocation{}, ErrNoDevice
	}
	gone := &o.state.Devices[i]
	r := Revocation{Name: gone.certificate().Name}
	if gone.Revoked {
		return r, errors.New("this device was revoked before: there is nothing to do")
	}
	var departments [][16]byte
	for _, c := range gone.Certificates {
		x := mine[seal.Certificate](c)
		r.Certificates = append(r.Certificates, x.Hash())
		departments = append(departments, x.Departments...)
	}
	for i := range o.state.Departments {
		d := &o.state.Departments[i]
		if !slices.Contains(departments, d.ID) {
			continue
		}
		if err := o.newGeneration(d, now); err != nil {
			return r, err
		}
		g := d.newest()
		d.Minimum = mine[seal.Certificate](g.Certificate).Generation
		r.Generations = append(r.Generations, seal.Generation{Dept: d.ID, Minimum: d.Minimum})
		r.Objects = append(r.Objects, g.Certificate, g.KeyObject)
	}
	gone.Revoked = true
	o.dirty = true
	// The device goes first; then the new keys are there before the old end.
	for _, hash := range r.Certificates {
		o.send(delivery{Kind: sendRevoke, To: hash})
	}
	for _, object := range r.Objects {
		o.send(delivery{Kind: sendObject, Bytes: object})
	}
	for _, g := range r.Generations {
		o.send(delivery{Kind: sendGeneration, Dept: g.Dept, Minimum: g.Minimum})
	}
	for i := range o.state.Devices {
		wraps, err := o.give(&o.state.Devices[i], now)
		if err != nil {
			return r, err
		}
		r.Wraps = append(r.Wraps, wraps...)
	}
	return r, nil
}
