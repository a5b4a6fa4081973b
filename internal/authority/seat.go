package authority

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// serverName stands on the server's certificate; pages say it in their language.
const serverName = "server"

// Reasons why the server gets no seat.
var (
	ErrSeatNeedsRoot = errors.New("the server asks for its seat in the assisted departments, which changes the policy, and that needs the root: open it too")
	ErrOtherSeat     = errors.New("the server asks with another key than the one that has its seat: bring back its root key from a backup, or revoke the server's certificate, so that the new key can take the seat")
	ErrSeatRevoked   = errors.New("the server asks with a key that was revoked: let it make another")
)

// Seat certifies the server, in the operator's custody, and lists it in every
// assisted department, with the next version of the policy when one did not list
// it yet. An organisation without such departments does nothing.
func (o *Office) Seat(request []byte, now uint64) error {
	policy := o.Policy()
	changed, err := o.seat(request, policy, now)
	if err != nil || !changed {
		return err
	}
	policy.Version++
	o.signPolicy(policy, now)
	o.send(delivery{Kind: sendObject, Bytes: o.state.Policy})
	o.dirty = true
	return nil
}

// seat certifies the server and says whether it changed the policy, which is
// not signed yet.
func (o *Office) seat(request []byte, policy *seal.Policy, now uint64) (changed bool, err error) {
	e, err := seal.ReadServerRequest(request)
	if err != nil {
		return false, err
	}
	var without []*seal.DepartmentPolicy
	subject, listed := e.Subject, false
	for i := range policy.Departments {
		switch d := &policy.Departments[i]; {
		case d.Mode != seal.Assisted:
		case serverOf(d) == nil:
			without = append(without, d)
		default: // the seat is the same under another key, so that the policy may stay
			subject, listed = *serverOf(d), true
		}
	}
	d := o.server()
	switch {
	case !listed && without == nil:
		return false, nil
	case d != nil && d.certificate().SigKey != e.SigKey:
		return false, ErrOtherSeat
	case d == nil && slices.ContainsFunc(o.state.Devices, func(d device) bool { return d.certificate().SigKey == e.SigKey }):
		return false, ErrSeatRevoked
	case without != nil && o.root == nil:
		return false, ErrSeatNeedsRoot
	}
	if d == nil {
		x := &seal.Certificate{
			Kind: seal.Server, Custody: seal.Operator, Subject: subject, Device: e.Device, Name: serverName, SigKey: e.SigKey,
		}
		if err := o.certify(x, deviceDays, now); err != nil {
			return false, err
		}
		o.keepDevice(sha256.Sum256(request), x)
	}
	for _, d := range without {
		d.Roles |= 1 << seal.Server
		d.Mandatory = append(d.Mandatory, seal.Mandatory{Role: seal.Server, Subject: subject})
	}
	return without != nil, nil
}

// WantsSeat says whether an assisted department lists no server yet, so that
// the root is needed when it asks.
func (o *Office) WantsSeat() bool {
	policy := o.Policy()
	return slices.ContainsFunc(policy.Departments, func(d seal.DepartmentPolicy) bool {
		return d.Mode == seal.Assisted && serverOf(&d) == nil
	})
}

// serverOf is the subject of the server that a department lists, or nil.
func serverOf(d *seal.DepartmentPolicy) *[16]byte {
	for i := range d.Mandatory {
		if m := &d.Mandatory[i]; m.Role == seal.Server {
			return &m.Subject
		}
	}
	return nil
}

// server is the server among the devices, nil while it has no seat.
func (o *Office) server() *device {
	for i := range o.state.Devices {
		if d := &o.state.Devices[i]; !d.Revoked && d.certificate().Kind == seal.Server {
			return d
		}
	}
	return nil
}

// seatServer looks whether the server asks.
func (o *Office) seatServer(ctx context.Context, e Exchange, now uint64, r *Report) error {
	request, err := e.Server(ctx)
	if err != nil || request == nil {
		return err
	}
	before := o.server()
	if err := o.Seat(request, now); err != nil {
		o.refuse(r, sha256.Sum256(request), err)
		return nil
	}
	if d := o.server(); d != nil && before == nil {
		all := o.Devices()
		r.Enrolled = append(r.Enrolled, all[len(all)-1])
	}
	return nil
}
