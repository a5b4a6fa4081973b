package authority

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// Request is a device's request for its certificate, as the server keeps it.
type Request struct {
	ID      [32]byte // the request's hash
	Request []byte
	MAC     [32]byte
}

// Exchange is the server, as the office sees it. Each act may come again and
// must then change nothing. An answer for a request that was answered replaces
// the certificate: the device's was renewed.
type Exchange interface {
	StatusKey(ctx context.Context) ([32]byte, error)
	// Server is the server's request for its own certificate, or nothing.
	Server(ctx context.Context) ([]byte, error)
	Requests(ctx context.Context) ([]Request, error)
	// KeyObjects are those of devices.
	KeyObjects(ctx context.Context) ([][]byte, error)
	Publish(ctx context.Context, objects ...[]byte) error
	Answer(ctx context.Context, id [32]byte, certificate []byte) error
	// Wrap brings a department's keys, by the hashes of both certificates.
	Wrap(ctx context.Context, device, department [32]byte, wrap []byte) error
	Revoke(ctx context.Context, certificate [32]byte) error
	Generation(ctx context.Context, department [16]byte, minimum uint32) error
}

// delivery is one act that the server has not been told of.
type delivery struct {
	Kind       string   `json:"kind"`
	To         [32]byte `json:"to,omitzero"`         // a request, or a device's certificate
	Department [32]byte `json:"department,omitzero"` // its certificate
	Dept       [16]byte `json:"dept,omitzero"`
	Minimum    uint32   `json:"minimum,omitzero"`
	Bytes      []byte   `json:"bytes,omitzero"`
}

const (
	sendObject     = "object"
	sendAnswer     = "answer"
	sendWrap       = "wrap"
	sendRevoke     = "revoke"
	sendGeneration = "generation"
)

func (o *Office) send(d delivery) { o.state.Outbox = append(o.state.Outbox, d) }

// answer sends a device its newest certificate. The server finds its own by
// its key.
func (o *Office) answer(d *device) {
	x := d.certificate()
	o.send(delivery{Kind: sendObject, Bytes: x.Bytes()})
	if x.Kind != seal.Server {
		o.send(delivery{Kind: sendAnswer, To: d.Request, Bytes: x.Bytes()})
	}
}

func (d delivery) deliver(ctx context.Context, e Exchange) error {
	switch d.Kind {
	case sendObject:
		return e.Publish(ctx, d.Bytes)
	case sendAnswer:
		return e.Answer(ctx, d.To, d.Bytes)
	case sendWrap:
		return e.Wrap(ctx, d.To, d.Department, d.Bytes)
	case sendRevoke:
		return e.Revoke(ctx, d.To)
	case sendGeneration:
		return e.Generation(ctx, d.Dept, d.Minimum)
	}
	return fmt.Errorf("the office wants to send %q, which this version does not know", d.Kind)
}

// Report is what one round did.
type Report struct {
	Enrolled  []Device
	Refused   []Refused // requests that no earlier round reported
	Wrapped   int       // department keys that devices were given
	Delivered int       // acts that the server was told of
}

// Quiet says that there was nothing to do.
func (r Report) Quiet() bool { return len(r.Enrolled)+len(r.Refused)+r.Wrapped+r.Delivered == 0 }

// Refused is a request that was not signed, and why.
type Refused struct {
	ID    [32]byte
	Cause error
}

// ErrOtherServer says that the exchange is not the one of the policy.
var ErrOtherServer = errors.New("the status key of this server is not the one that the policy names: name the exchange of the server that the keys were made for, or bring back its data folder from a backup")

// Serve does one round with the server: it gives the server its seat in
// assisted departments, signs every request that proves an invitation, gives department keys to certified devices whose key object has
// come, and then delivers what is new. What it signed is saved before the
// server hears of it; what could not be delivered waits for the next round.
func (o *Office) Serve(ctx context.Context, e Exchange, now uint64) (Report, error) {
	var r Report
	if err := o.recognise(ctx, e); err != nil {
		return r, err
	}
	if err := o.seatServer(ctx, e, now, &r); err != nil {
		return r, err
	}
	if err := o.sign(ctx, e, now, &r); err != nil {
		return r, err
	}
	if err := o.takeKeys(ctx, e, now); err != nil {
		return r, err
	}
	for i := range o.state.Devices {
		wraps, err := o.give(&o.state.Devices[i], now)
		if err != nil {
			return r, err
		}
		r.Wrapped += len(wraps)
	}
	return r, o.handOver(ctx, e, &r)
}

// Deliver tells the server what is new, and how much that was, without looking
// at what it has to ask.
func (o *Office) Deliver(ctx context.Context, e Exchange) (int, error) {
	var r Report
	if err := errors.Join(o.save(), o.recognise(ctx, e)); err != nil {
		return 0, err
	}
	err := o.handOver(ctx, e, &r)
	return r.Delivered, err
}

// recognise refuses another server than the policy's.
func (o *Office) recognise(ctx context.Context, e Exchange) error {
	status, err := e.StatusKey(ctx)
	if err != nil {
		return fmt.Errorf("read the server's status key: %w", err)
	}
	if status != o.Policy().StatusKey {
		return ErrOtherServer
	}
	return nil
}

// handOver saves, delivers, and saves what was delivered.
func (o *Office) handOver(ctx context.Context, e Exchange, r *Report) error {
	if err := o.save(); err != nil {
		return err
	}
	err := o.deliver(ctx, e, r)
	return errors.Join(err, o.save())
}

func (o *Office) sign(ctx context.Context, e Exchange, now uint64, r *Report) error {
	requests, err := e.Requests(ctx)
	if err != nil {
		return fmt.Errorf("read the requests of devices: %w", err)
	}
	for _, request := range requests {
		id := sha256.Sum256(request.Request)
		if slices.ContainsFunc(o.state.Devices, func(d device) bool { return d.Request == id }) {
			continue
		}
		if _, err := o.Enrol(request.Request, request.MAC, now); err != nil {
			// One bad request must not keep the others waiting.
			o.refuse(r, id, err)
			continue
		}
		all := o.Devices()
		r.Enrolled = append(r.Enrolled, all[len(all)-1])
	}
	return nil
}

// refuse reports a request that is not signed, once.
func (o *Office) refuse(r *Report, id [32]byte, why error) {
	if o.refused[id] {
		return
	}
	if o.refused == nil {
		o.refused = map[[32]byte]bool{}
	}
	o.refused[id] = true
	r.Refused = append(r.Refused, Refused{id, why})
}

// takeKeys learns the newest key object of every device.
func (o *Office) takeKeys(ctx context.Context, e Exchange, now uint64) error {
	objects, err := e.KeyObjects(ctx)
	if err != nil {
		return fmt.Errorf("read the key objects of devices: %w", err)
	}
	for _, object := range objects {
		k := new(seal.KeyObject)
		if seal.Parse(object, k) != nil {
			continue // the server's word is not trusted, and not worth stopping for
		}
		i := slices.IndexFunc(o.state.Devices, func(d device) bool { return d.owner(k) != nil })
		if i < 0 {
			continue
		}
		d := &o.state.Devices[i]
		if len(d.KeyObject) > 0 && mine[seal.KeyObject](d.KeyObject).NotBefore >= k.NotBefore {
			continue
		}
		trust := seal.NewTrust(o.state.Org, 0, true)
		if trust.Add(object) != nil {
			continue
		}
		if _, err := trust.JudgeKey(k.Hash(), d.owner(k), now); err != nil {
			continue
		}
		d.KeyObject, d.Wrapped = object, nil
		o.dirty = true
	}
	return nil
}

// deliver tells the server everything that waits, in order. What fails stays
// for the next round, and does not keep back what comes after: a revocation
// must not wait for a certificate that the server does not want.
func (o *Office) deliver(ctx context.Context, e Exchange, r *Report) error {
	var failed []delivery
	var first error
	for i, d := range o.state.Outbox {
		if ctx.Err() != nil {
			failed = append(failed, o.state.Outbox[i:]...)
			first = ctx.Err()
			break
		}
		if err := d.deliver(ctx, e); err != nil {
			failed = append(failed, d)
			if first == nil {
				first = fmt.Errorf("bring %q to the server, which stays for the next round: %w", d.Kind, err)
			}
			continue
		}
		o.dirty = true
		r.Delivered++
	}
	o.state.Outbox = failed
	return first
}

// save keeps what changed.
func (o *Office) save() error {
	if o.keep == nil || !o.dirty {
		return nil
	}
	if err := o.keep(); err != nil {
		return err
	}
	o.dirty = false
	return nil
}
