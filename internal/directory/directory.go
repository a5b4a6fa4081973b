package directory

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

const (
	statusLasts  = seal.Day
	atMost       = 100_000 // objects of one kind
	requestLimit = 1000    // requests that wait for a signature
	deviceKeys   = 32      // key objects of one certificate
)

// Directory answers who belongs to the organisation. It signs the status and
// nothing else. It is safe for concurrent use.
type Directory struct {
	store     Store
	statusKey ed25519.PrivateKey
	now       func() time.Time
	log       *slog.Logger

	revoked func(certificate [32]byte) // told of each; nil until OnRevoke

	trust  atomic.Pointer[seal.Trust]
	named  atomic.Pointer[map[[16]byte]*seal.Certificate] // departments, by id
	mu     sync.Mutex                                     // one writer of trust and status
	status *seal.Status
}

// Open reads what the store has. Without a policy there is no organisation yet,
// and [Directory.Trust] is nil until one is imported.
func Open(ctx context.Context, store Store, statusKey ed25519.PrivateKey, now func() time.Time, log *slog.Logger) (*Directory, error) {
	d := &Directory{store: store, statusKey: statusKey, now: now, log: log}
	for _, kind := range []seal.Kind{seal.KindPolicy, seal.KindCertificate, seal.KindStatus} {
		limit := atMost
		if kind == seal.KindStatus {
			limit = 1
		}
		objects, err := store.ObjectsOfKind(ctx, byte(kind), limit)
		if err != nil {
			return nil, fmt.Errorf("read the organisation's objects: %w", err)
		}
		slices.Reverse(objects) // the oldest policy first
		for _, o := range objects {
			d.recall(o)
			if kind != seal.KindCertificate {
				continue
			}
			keys, err := store.KeyObjects(ctx, o.Hash)
			if err != nil {
				return nil, fmt.Errorf("read the organisation's key objects: %w", err)
			}
			for _, k := range keys {
				d.recall(k)
			}
		}
	}
	if d.Trust() != nil {
		return d, d.Refresh(ctx)
	}
	return d, nil
}

// recall learns an object of the store. One that no longer holds, such as a
// status of a policy that was replaced, is passed over.
func (d *Directory) recall(o Object) {
	if err := d.learn(o.Bytes); err != nil {
		d.log.Warn("an object of the store is refused", "kind", seal.Kind(o.Kind).String(), "error", err)
	}
}

// learn adds an object to trust. The first policy names the organisation.
func (d *Directory) learn(object []byte) error {
	if d.trust.Load() == nil {
		if seal.KindOf(object) != seal.KindPolicy {
			return chat.Invalid("object", "a policy comes first: it names the organisation")
		}
		p := new(seal.Policy)
		if err := seal.Parse(object, p); err != nil {
			return err
		}
		trust := seal.NewTrust(p.Org, 0, true)
		if err := trust.Add(object); err != nil {
			return err
		}
		d.trust.Store(trust)
		return nil
	}
	if err := d.Trust().Add(object); err != nil {
		return err
	}
	switch seal.KindOf(object) {
	case seal.KindStatus:
		s := new(seal.Status)
		if err := seal.Parse(object, s); err != nil {
			return err
		}
		d.status = s
	case seal.KindCertificate:
		x := new(seal.Certificate)
		if err := seal.Parse(object, x); err != nil {
			return err
		}
		if x.Kind == seal.Department {
			d.name(x)
		}
	}
	return nil
}

// Trust is what is believed about the organisation; nil before its first policy.
func (d *Directory) Trust() *seal.Trust { return d.trust.Load() }

// describe says by what an object is looked up.
func describe(object []byte) (Object, error) {
	o := Object{Kind: byte(seal.KindOf(object)), Bytes: object}
	var parsed interface {
		seal.Object
		Hash() [32]byte
	}
	var after func()
	switch seal.KindOf(object) {
	case seal.KindPolicy:
		p := new(seal.Policy)
		parsed, after = p, func() { o.Number = uint64(p.Version) }
	case seal.KindCertificate:
		x := new(seal.Certificate)
		parsed, after = x, func() { o.Owner = x.Issuer }
	case seal.KindKeyObject:
		k := new(seal.KeyObject)
		parsed, after = k, func() { o.Owner, o.Number = k.Owner, k.NotBefore }
	case seal.KindStatus:
		s := new(seal.Status)
		parsed, after = s, func() { o.Number = s.IssuedAt }
	default:
		return o, chat.Invalid("object", "a policy, certificate, key object or status was expected")
	}
	if err := seal.Parse(object, parsed); err != nil {
		return o, err
	}
	after()
	o.Hash = parsed.Hash()
	return o, nil
}

// Publish takes public objects from the organisation's office: policies,
// certificates and key objects. What trust refuses is not kept.
func (d *Directory) Publish(ctx context.Context, objects ...[]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	policy := false
	for _, object := range objects {
		o, err := describe(object)
		if err != nil {
			return err
		}
		if seal.Kind(o.Kind) == seal.KindStatus {
			return chat.Invalid("object", "the status is the server's own")
		}
		if err := d.learn(object); err != nil {
			return err
		}
		if err := d.store.PutObjects(ctx, o); err != nil {
			return fmt.Errorf("keep an object of the organisation: %w", err)
		}
		policy = policy || seal.Kind(o.Kind) == seal.KindPolicy
	}
	if policy {
		return d.refresh(ctx, nil)
	}
	return nil
}

// Refresh signs a new status: call it every fifteen minutes.
func (d *Directory) Refresh(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refresh(ctx, nil)
}

// OnRevoke says who is told of each revocation, before anything is served.
func (d *Directory) OnRevoke(tell func(certificate [32]byte)) { d.revoked = tell }

// Revoke names a certificate in every status from now on, and ends what its
// device has open.
func (d *Directory) Revoke(ctx context.Context, certificate [32]byte) error {
	if err := d.revoke(ctx, certificate); err != nil {
		return err
	}
	if d.revoked != nil {
		d.revoked(certificate)
	}
	return nil
}

func (d *Directory) revoke(ctx context.Context, certificate [32]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refresh(ctx, func(s *seal.Status) {
		named := func(r seal.Revocation) bool { return r.Certificate == certificate }
		if !slices.ContainsFunc(s.Revoked, named) {
			s.Revoked = append(s.Revoked, seal.Revocation{Certificate: certificate, Since: milliseconds(d.now())})
		}
	})
}

// Generation ends every generation of a department's keys below minimum.
func (d *Directory) Generation(ctx context.Context, dept [16]byte, minimum uint32) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refresh(ctx, func(s *seal.Status) {
		for i := range s.Generations {
			if s.Generations[i].Dept == dept {
				if minimum > s.Generations[i].Minimum {
					s.Generations[i].Minimum, s.Generations[i].Since = minimum, milliseconds(d.now())
				}
				return
			}
		}
		s.Generations = append(s.Generations, seal.Generation{Dept: dept, Minimum: minimum, Since: milliseconds(d.now())})
	})
}

func (d *Directory) refresh(ctx context.Context, edit func(*seal.Status)) error {
	if d.Trust() == nil {
		return chat.Invalid("policy", "there is no organisation yet: import its policy first")
	}
	policy := d.Trust().Policy()
	if policy.StatusKey != seal.PublicKey(d.statusKey) {
		const why = "the policy names another status key than this server's: no status can be signed here, and no new conversation begins once the last one has ended"
		if edit != nil {
			return errors.New(why)
		}
		d.log.Warn(why)
		return nil
	}
	now := milliseconds(d.now())
	s := &seal.Status{
		Org: d.Trust().Org(), PolicyVersion: policy.Version, PolicyHash: policy.Hash(),
		IssuedAt: now, NotAfter: now + statusLasts,
	}
	if d.status != nil {
		s.Generations, s.Revoked = slices.Clone(d.status.Generations), slices.Clone(d.status.Revoked)
		// A clock that was set back must not make a status that looks older.
		s.IssuedAt = max(s.IssuedAt, d.status.IssuedAt)
	}
	if edit != nil {
		edit(s)
	}
	seal.Sign(s, s.Org, nil, d.statusKey)
	if err := d.Trust().Add(s.Bytes()); err != nil {
		return err
	}
	d.status = s
	o, err := describe(s.Bytes())
	if err != nil {
		return err
	}
	return d.store.PutObjects(ctx, o)
}

func milliseconds(t time.Time) uint64 { return uint64(max(0, t.UnixMilli())) }

// Bundle is what everybody may have: the policy, the certificates of enrollers,
// departments and the server, the key objects of the last two, and the status.
func (d *Directory) Bundle(ctx context.Context) ([][]byte, error) {
	trust := d.Trust()
	if trust == nil {
		return nil, errNoOrganisation
	}
	bundle := [][]byte{trust.Policy().Bytes()}
	certificates, err := d.store.ObjectsOfKind(ctx, byte(seal.KindCertificate), atMost)
	if err != nil {
		return nil, err
	}
	for _, o := range certificates {
		x := trust.Certificate(o.Hash)
		if x == nil || x.Kind != seal.Enroller && x.Kind != seal.Department && x.Kind != seal.Server {
			continue
		}
		bundle = append(bundle, o.Bytes)
		if x.Kind == seal.Enroller {
			continue
		}
		keys, err := d.store.KeyObjects(ctx, o.Hash)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if _, err := trust.JudgeKey(k.Hash, x, milliseconds(d.now())); err == nil {
				bundle = append(bundle, k.Bytes)
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.status != nil {
		bundle = append(bundle, d.status.Bytes())
	}
	return bundle, nil
}

var errNoOrganisation = &chat.Error{
	Kind:    chat.KindUnavailable,
	Message: "this server has no organisation yet: `aldaba keys init` makes one",
}

// Request keeps a device's request until the office signs it (K17 but for the
// MAC, which only the office can judge). bind is asked before it is kept, with
// the device's key, which the request proves.
func (d *Directory) Request(ctx context.Context, request, mac []byte, bind func(key [32]byte) error) ([32]byte, error) {
	trust := d.Trust()
	if trust == nil {
		return [32]byte{}, errNoOrganisation
	}
	e, err := seal.ReadEnrolment(request, trust.Org())
	if err != nil {
		return [32]byte{}, err
	}
	if len(mac) != 32 {
		return [32]byte{}, &chat.Error{Kind: chat.KindInvalid, Field: "mac", Limit: 32, Message: "a MAC has 32 bytes"}
	}
	now := milliseconds(d.now())
	if e.Time > now+10*seal.Minute || e.Time+seal.Day < now {
		return [32]byte{}, seal.ErrBadEnrolment.Because("the request is older than 24 hours, or from the future: set the clock")
	}
	if err := d.store.DropEnrolments(ctx, d.now().Add(-24*time.Hour).UnixMilli()); err != nil {
		return [32]byte{}, err
	}
	waiting, err := d.store.Enrolments(ctx, requestLimit)
	if err != nil {
		return [32]byte{}, err
	}
	if len(waiting) == requestLimit {
		return [32]byte{}, &chat.Error{Kind: chat.KindRateLimited, Limit: requestLimit, Message: "too many requests wait for a signature: ask the administrator to look at them"}
	}
	if err := bind(e.SigKey); err != nil {
		return [32]byte{}, err
	}
	err = d.store.PutEnrolment(ctx, Enrolment{
		ID: e.Hash(), Invitation: e.Invitation, Request: request, MAC: mac, At: d.now().UnixMilli(),
	})
	if errors.Is(err, ErrInvitationUsed) {
		return [32]byte{}, seal.ErrBadEnrolment.Because("this invitation was used: ask the administrator for another")
	}
	return e.Hash(), err
}

// Waiting gives the requests that nobody has signed.
func (d *Directory) Waiting(ctx context.Context) ([]Enrolment, error) {
	return d.store.Enrolments(ctx, requestLimit)
}

// Answer keeps the certificate that the office signed for a request.
func (d *Directory) Answer(ctx context.Context, id [32]byte, certificate []byte) error {
	x := new(seal.Certificate)
	if err := seal.Parse(certificate, x); err != nil {
		return err
	}
	if err := d.Publish(ctx, certificate); err != nil {
		return err
	}
	return d.store.SignEnrolment(ctx, id, x.Hash())
}

// Certificate gives the certificate of a request, nil while nobody has signed.
func (d *Directory) Certificate(ctx context.Context, id [32]byte) ([]byte, error) {
	e, err := d.store.EnrolmentByID(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, &chat.Error{Kind: chat.KindNotFound, Message: "there is no such request"}
	}
	if err != nil || e.Certificate == ([32]byte{}) {
		return nil, err
	}
	objects, err := d.store.ObjectsByHash(ctx, [][32]byte{e.Certificate})
	if err != nil || len(objects) == 0 {
		return nil, err
	}
	return objects[0].Bytes, nil
}

// Device is a certificate that may have a session now.
func (d *Directory) Device(certificate [32]byte) (seal.Judged, error) {
	trust := d.Trust()
	if trust == nil {
		return seal.Judged{}, errNoOrganisation
	}
	now := milliseconds(d.now())
	if err := trust.Live(now); err != nil {
		return seal.Judged{}, err
	}
	x, err := trust.Judge(certificate, trust.Policy(), now)
	if err == nil && x.Kind == seal.Department {
		err = seal.ErrBadCertificate.Because("a department has no session of its own")
	}
	return x, err
}

// Actor is as whom a proven key asks: a conversation's visitor, or by its
// certificate a device of an agent or supervisor. Whatever else has a
// certificate asks as a stranger.
func (d *Directory) Actor(key [32]byte, visitor bool) (policy.Actor, error) {
	if visitor {
		return policy.Actor{Role: chat.RoleVisitor, Key: key}, nil
	}
	x, err := d.Device(key)
	if err != nil {
		return policy.Actor{}, err
	}
	roles := map[seal.Role]chat.Role{seal.Agent: chat.RoleAgent, seal.Supervisor: chat.RoleSupervisor}
	return policy.Actor{Role: roles[x.Kind], Key: key, Departments: x.Departments}, nil
}

// AddKeyObject keeps a certified device's key object (K16).
func (d *Directory) AddKeyObject(ctx context.Context, device seal.Judged, object []byte) error {
	o, err := describe(object)
	if err != nil {
		return err
	}
	if seal.Kind(o.Kind) != seal.KindKeyObject {
		return chat.Invalid("object", "a key object was expected")
	}
	if o.Owner != device.Hash() {
		return seal.ErrBadKeyObject.Because("the key object belongs to somebody else")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	trust := d.Trust()
	known := trust.KeyObject(o.Hash) != nil
	if kept, err := d.store.KeyObjects(ctx, o.Owner); err != nil {
		return err
	} else if !known && len(kept) >= deviceKeys {
		return &chat.Error{Kind: chat.KindRateLimited, Limit: deviceKeys, Message: "this device has too many key objects: ask for a new certificate"}
	}
	if err := d.Trust().Add(object); err != nil {
		return err
	}
	if _, err := d.Trust().JudgeKey(o.Hash, device.Certificate, milliseconds(d.now())); err != nil {
		if !known { // conversations may rest on one that has ended
			d.Trust().Forget(o.Hash)
		}
		return err
	}
	return d.store.PutObjects(ctx, o)
}

// DeviceKeyObjects gives the key objects of devices, for which the office wraps
// department keys.
func (d *Directory) DeviceKeyObjects(ctx context.Context) ([][]byte, error) {
	trust := d.Trust()
	if trust == nil {
		return nil, nil
	}
	certificates, err := d.store.ObjectsOfKind(ctx, byte(seal.KindCertificate), atMost)
	if err != nil {
		return nil, err
	}
	var devices [][]byte
	for _, o := range certificates {
		if x := trust.Certificate(o.Hash); x == nil || x.Kind == seal.Department || x.Kind == seal.Enroller {
			continue
		}
		keys, err := d.store.KeyObjects(ctx, o.Hash)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			devices = append(devices, k.Bytes)
		}
	}
	return devices, nil
}

// Wrap keeps a department's keys wrapped for a device.
func (d *Directory) Wrap(ctx context.Context, device, dept [32]byte, wrap []byte) error {
	w := new(seal.Wrap)
	if err := seal.Parse(wrap, w); err != nil {
		return err
	}
	if w.Type != seal.WrapDepartment {
		return chat.Invalid("wrap", "a wrap of department keys was expected")
	}
	return d.store.PutDepartmentKey(ctx, device, dept, wrap)
}

// DepartmentKeys gives certificate and wrap of each department whose keys a
// device has.
func (d *Directory) DepartmentKeys(ctx context.Context, device [32]byte) ([][]byte, error) {
	keys, err := d.store.DepartmentKeys(ctx, device)
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for _, k := range keys {
		if x := d.Trust().Certificate(k.Certificate); x != nil {
			list = append(list, x.Bytes(), k.Wrap)
		}
	}
	return list, nil
}

// StatusKey is the public half of the key that signs the status.
func (d *Directory) StatusKey() [32]byte { return seal.PublicKey(d.statusKey) }

// Keep keeps a key object that came with an epoch and was judged there.
func (d *Directory) Keep(ctx context.Context, keyObject []byte) error {
	o, err := describe(keyObject)
	if err != nil {
		return err
	}
	return d.store.PutObjects(ctx, o)
}

// KeysOf gives the key objects of an owner: a certificate, or a conversation.
func (d *Directory) KeysOf(ctx context.Context, owner [32]byte) ([][]byte, error) {
	keys, err := d.store.KeyObjects(ctx, owner)
	objects := make([][]byte, len(keys))
	for i, k := range keys {
		objects[i] = k.Bytes
	}
	return objects, err
}
