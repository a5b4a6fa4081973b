package seal

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// Times and lifetimes, in milliseconds.
const (
	Minute uint64 = 60_000
	Hour          = 60 * Minute
	Day           = 24 * Hour

	clockSkew       = 5 * Minute
	statusLifetime  = 24 * Hour
	departmentDays  = 90
	enrollerDays    = 400
	visitorKeyDays  = 400
	maxCertDays     = 30
	maxCertDaysSeal = 14
)

// Trust is what one reader believes about the organisation: policies that the
// root signed, the newest status, and certificates and key objects, which are
// judged when somebody asks, because what they rest on may come later. It is
// safe for concurrent use.
type Trust struct {
	org        [32]byte
	minPolicy  uint32
	primeOrder bool

	mu           sync.RWMutex
	policies     map[[32]byte]*Policy
	policy       *Policy // the highest version
	status       *Status
	certificates map[[32]byte]*Certificate
	keyObjects   map[[32]byte]*KeyObject
	// What a status once said stays: since when, by certificate and department.
	revoked map[[32]byte]uint64
	minimum map[[16]byte]Generation

	proved sync.Map // hashes of certificates and key objects whose signature was found right
}

// NewTrust begins with nothing but the organisation's name, and the lowest
// version of a policy that counts. With primeOrder it refuses keys by K19,
// which servers and enrollers do.
func NewTrust(org [32]byte, minPolicy uint32, primeOrder bool) *Trust {
	return &Trust{
		org: org, minPolicy: minPolicy, primeOrder: primeOrder,
		policies:     map[[32]byte]*Policy{},
		certificates: map[[32]byte]*Certificate{},
		keyObjects:   map[[32]byte]*KeyObject{},
		revoked:      map[[32]byte]uint64{},
		minimum:      map[[16]byte]Generation{},
	}
}

// Org is the organisation's name.
func (t *Trust) Org() [32]byte { return t.org }

// Add takes a policy, status, certificate or key object. A policy must be the
// root's (K3, K4, K6) and a status the current policy's (K7) and not older than
// the one before (K8); the others must parse and have good keys (K1, K2).
func (t *Trust) Add(object []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch kind := KindOf(object); kind {
	case KindPolicy:
		return t.addPolicy(object)
	case KindStatus:
		return t.addStatus(object)
	case KindCertificate:
		x := new(Certificate)
		if err := Parse(object, x); err != nil {
			return err
		}
		if err := t.checkKey(x.SigKey); err != nil {
			return err
		}
		t.certificates[x.Hash()] = x
	case KindKeyObject:
		k := new(KeyObject)
		if err := Parse(object, k); err != nil {
			return err
		}
		if err := CheckKEMKey(k.KEMKey[:]); err != nil {
			return err
		}
		t.keyObjects[k.Hash()] = k
	default:
		return ErrBadKind.Because("a policy, certificate, key object or status was expected, this is a %s", kind)
	}
	return nil
}

func (t *Trust) checkKey(key [32]byte) error {
	if t.primeOrder {
		return CheckPrimeOrder(key[:])
	}
	return CheckPublicKey(key[:])
}

func (t *Trust) addPolicy(object []byte) error {
	p := new(Policy)
	if err := Parse(object, p); err != nil {
		return err
	}
	if p.Org != t.org || hashOf(p.RootKey[:]) != t.org {
		return ErrWrongOrg.Because("the policy is of another organisation")
	}
	if err := verified(p, t.org, nil, 0, p.RootKey, ErrPolicySignature); err != nil {
		return err
	}
	if err := t.checkKey(p.StatusKey); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	hash := p.Hash()
	for other, known := range t.policies {
		if known.Version == p.Version && other != hash {
			return ErrPolicyRollback.Because("there are two policies of version %d", p.Version)
		}
	}
	for _, enroller := range p.Enrollers {
		if x := t.certificates[enroller]; x != nil && x.Custody == Operator && p.sealed() {
			return errOperatorEnroller
		}
	}
	t.policies[hash] = p
	if t.policy == nil || p.Version > t.policy.Version {
		t.policy = p
	}
	return nil
}

var errOperatorEnroller = ErrBadPolicy.Because("an enroller in the operator's custody stands beside a sealed department")

func (p *Policy) sealed() bool {
	return slices.ContainsFunc(p.Departments, func(d DepartmentPolicy) bool { return d.Mode == Sealed })
}

// check is K6 as far as the policy alone can tell.
func (p *Policy) check() error {
	if p.MinVersion != version {
		return ErrBadPolicy.Because("min_ver is %d, not %d", version, p.MinVersion)
	}
	if p.MaxCertDays < 1 || p.MaxCertDays > maxCertDays {
		return ErrBadPolicy.Because("max_cert_days is 1 to %d, not %d", maxCertDays, p.MaxCertDays)
	}
	for i, e := range p.Enrollers {
		if slices.Contains(p.Enrollers[:i], e) {
			return ErrBadPolicy.Because("enroller %d stands twice", i)
		}
	}
	for i, d := range p.Departments {
		if i > 0 && bytes.Compare(p.Departments[i-1].ID[:], d.ID[:]) >= 0 {
			return ErrBadPolicy.Because("departments are not sorted, or one stands twice, at %d", i)
		}
		limit := uint16(maxCertDays)
		if d.Mode == Sealed {
			limit = maxCertDaysSeal
		}
		if d.MaxCertDays < 1 || d.MaxCertDays > limit {
			return ErrBadPolicy.Because("max_cert_days of department %d is 1 to %d, not %d", i, limit, d.MaxCertDays)
		}
	}
	return nil
}

func (t *Trust) addStatus(object []byte) error {
	s := new(Status)
	if err := Parse(object, s); err != nil {
		return err
	}
	if t.policy == nil {
		return ErrPolicyRollback.Because("a status came before any policy")
	}
	if s.Org != t.org {
		return ErrWrongOrg.Because("the status is of another organisation")
	}
	if t.policy.Version < s.PolicyVersion {
		return ErrPolicyRollback.Because("the status speaks of policy %d, the newest known is %d", s.PolicyVersion, t.policy.Version)
	}
	if t.policy.Version == s.PolicyVersion && t.policy.Hash() != s.PolicyHash {
		return ErrPolicyRollback.Because("the status speaks of another policy %d", s.PolicyVersion)
	}
	if err := verified(s, t.org, nil, 0, t.policy.StatusKey, ErrStatusSignature); err != nil {
		return err
	}
	if s.NotAfter < s.IssuedAt || s.NotAfter-s.IssuedAt > statusLifetime {
		return ErrStaleStatus.Because("a status lasts at most 24 hours")
	}
	if t.status != nil && s.IssuedAt < t.status.IssuedAt {
		return ErrStaleStatus.Because("the status is older than one that was seen")
	}
	t.status = s
	for _, r := range s.Revoked {
		if since, known := t.revoked[r.Certificate]; !known || r.Since < since {
			t.revoked[r.Certificate] = r.Since
		}
	}
	for _, g := range s.Generations {
		if old, known := t.minimum[g.Dept]; !known || g.Minimum > old.Minimum || g.Minimum == old.Minimum && g.Since < old.Since {
			t.minimum[g.Dept] = g
		}
	}
	return nil
}

// Policy is the policy with the highest version, or nil.
func (t *Trust) Policy() *Policy {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.policy
}

// PolicyOf is a known policy by its hash, or nil.
func (t *Trust) PolicyOf(hash [32]byte) *Policy {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.policies[hash]
}

// Certificate is a known certificate by its hash, or nil; it was not judged.
func (t *Trust) Certificate(hash [32]byte) *Certificate {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.certificates[hash]
}

// CertificatesOf are the known certificates of a signing key, the newest first;
// they were not judged.
func (t *Trust) CertificatesOf(sigKey [32]byte) []*Certificate {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var found []*Certificate
	for _, x := range t.certificates {
		if x.SigKey == sigKey {
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b *Certificate) int {
		return cmp.Or(cmp.Compare(b.NotBefore, a.NotBefore), bytes.Compare(a.Serial[:], b.Serial[:]))
	})
	return found
}

// SameDevice reports whether a certificate is of the device that another one
// names: a device keeps its signature key when its certificate is renewed, and
// its leaves keep the certificates that they came with (E8). One that is revoked
// at a moment is nobody's.
func (t *Trust) SameDevice(device, certificate [32]byte, at uint64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	x, y := t.certificates[device], t.certificates[certificate]
	return x != nil && y != nil && x.SigKey == y.SigKey && !t.ended(certificate, at)
}

// KeyObject is a known key object by its hash, or nil; it was not judged.
func (t *Trust) KeyObject(hash [32]byte) *KeyObject {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.keyObjects[hash]
}

// Forget drops a key object that nobody needs any more, such as a visitor's.
func (t *Trust) Forget(keyObject [32]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.keyObjects, keyObject)
	t.proved.Delete(keyObject)
}

// Live says whether policy and status hold now (K5, K8): no new epoch is made
// or taken without.
func (t *Trust) Live(now uint64) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.live(now)
}

func (t *Trust) live(now uint64) error {
	switch {
	case t.policy == nil:
		return ErrPolicyRollback.Because("there is no policy")
	case t.policy.Version < t.minPolicy:
		return ErrPolicyRollback.Because("the policy is version %d, the page wants at least %d", t.policy.Version, t.minPolicy)
	case t.status == nil:
		return ErrStaleStatus.Because("there is no status")
	case t.status.NotAfter < now:
		return ErrStaleStatus.Because("the status has ended")
	case t.status.IssuedAt > now+clockSkew:
		return ErrStaleStatus.Because("the status was issued in the future")
	}
	return nil
}

// ended reports whether a certificate is revoked at a moment.
func (t *Trust) ended(certificate [32]byte, at uint64) bool {
	since, revoked := t.revoked[certificate]
	return revoked && since <= at
}

// Judged is a certificate that holds, with the custody of its issuer.
type Judged struct {
	*Certificate
	IssuerCustody byte
}

// Judge finds a certificate and asks K9 to K12 and K14 of it at a moment, by a
// policy.
func (t *Trust) Judge(certificate [32]byte, policy *Policy, at uint64) (Judged, error) {
	x, err := t.judge(certificate, policy, at)
	if err == nil && t.outdated(x.Certificate, at) {
		err = ErrBadDepartmentKey.Because("generation %d of the department's keys has ended", x.Generation)
	}
	return x, err
}

// outdated is K14: whether a department's certificate is of a generation that
// has ended.
func (t *Trust) outdated(x *Certificate, at uint64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, known := t.minimum[x.Dept]
	return known && x.Kind == Department && x.Generation < g.Minimum && g.Since <= at
}

// judge is Judge without K14.
func (t *Trust) judge(certificate [32]byte, policy *Policy, at uint64) (Judged, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	x := t.certificates[certificate]
	if x == nil {
		return Judged{}, ErrBadCertificate.Because("the certificate is not known")
	}
	issuer, err := t.enroller(x, policy, at)
	if err != nil {
		return Judged{}, err
	}
	if x.Org != t.org || x.Kind == Enroller {
		return Judged{}, ErrBadCertificate.Because("the certificate is of another organisation or kind")
	}
	if err := t.prove(x, certificate, issuer.SigKey, ErrBadCertificate); err != nil {
		return Judged{}, err
	}
	if x.NotAfter > issuer.NotAfter {
		return Judged{}, ErrCertificateTime.Because("the certificate outlives its issuer")
	}
	if err := inTime(x, at, policy.certDays(x)); err != nil {
		return Judged{}, err
	}
	if t.ended(certificate, at) || t.ended(x.Issuer, at) {
		return Judged{}, ErrRevoked.Because("the certificate or its issuer is revoked")
	}
	return Judged{x, issuer.Custody}, nil
}

// prove verifies a certificate's or key object's only signature once: the hash
// that it is remembered by covers the signature and names the issuer or owner,
// and so the key.
func (t *Trust) prove(o Object, hash, key [32]byte, rule Refusal) error {
	if _, done := t.proved.Load(hash); done {
		return nil
	}
	if err := verified(o, t.org, nil, 0, key, rule); err != nil {
		return err
	}
	t.proved.Store(hash, struct{}{})
	return nil
}

// enroller is K9 for the issuer of x.
func (t *Trust) enroller(x *Certificate, policy *Policy, at uint64) (*Certificate, error) {
	issuer := t.certificates[x.Issuer]
	if issuer == nil {
		return nil, ErrBadEnroller.Because("the issuer is not known")
	}
	if issuer.Kind != Enroller || issuer.Org != t.org || issuer.Issuer != t.org {
		return nil, ErrBadEnroller.Because("the issuer is no enroller of the organisation")
	}
	if err := t.prove(issuer, x.Issuer, policy.RootKey, ErrBadEnroller); err != nil {
		return nil, err
	}
	if !slices.Contains(policy.Enrollers, x.Issuer) {
		return nil, ErrBadEnroller.Because("the policy does not list the issuer")
	}
	if err := inTime(issuer, at, enrollerDays); err != nil {
		return nil, ErrBadEnroller.Because("the issuer: %v", err)
	}
	if issuer.Custody == Operator && policy.sealed() {
		return nil, errOperatorEnroller
	}
	right := RightServices
	switch x.Kind {
	case Agent, Supervisor:
		right = RightDevices
	case Department:
		right = RightDepartments
	}
	if issuer.Rights&right == 0 {
		return nil, ErrBadEnroller.Because("the issuer may not certify this kind")
	}
	return issuer, nil
}

// certDays is how long a certificate may last.
func (p *Policy) certDays(x *Certificate) uint16 {
	if x.Kind == Department {
		return departmentDays
	}
	days := p.MaxCertDays
	for _, id := range x.Departments {
		if d := p.Department(id); d != nil {
			days = min(days, d.MaxCertDays)
		}
	}
	return days
}

func inTime(x *Certificate, at uint64, days uint16) error {
	switch {
	case x.NotAfter < x.NotBefore || x.NotAfter-x.NotBefore > uint64(days)*Day:
		return ErrCertificateTime.Because("the certificate lasts at most %d days", days)
	case at < x.NotBefore:
		return ErrCertificateTime.Because("the certificate is not valid yet")
	case at > x.NotAfter:
		return ErrCertificateTime.Because("the certificate has ended")
	}
	return nil
}

// owner is who a key object must belong to, and how long it may last.
type owner struct {
	hash      [32]byte // of the certificate; conv for the visitor
	sigKey    [32]byte
	notBefore uint64
	notAfter  uint64
}

// JudgeKey finds a key object and asks K16 of it, for a certificate's owner.
func (t *Trust) JudgeKey(keyObject [32]byte, x *Certificate, at uint64) (*KeyObject, error) {
	return t.judgeKey(keyObject, owner{x.Hash(), x.SigKey, x.NotBefore, x.NotAfter}, at)
}

func (t *Trust) judgeKey(keyObject [32]byte, o owner, at uint64) (*KeyObject, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	k := t.keyObjects[keyObject]
	switch {
	case k == nil:
		return nil, ErrBadKeyObject.Because("the key object is not known")
	case k.Org != t.org || k.Owner != o.hash:
		return nil, ErrBadKeyObject.Because("the key object belongs to somebody else")
	case k.NotBefore < o.notBefore || k.NotAfter > o.notAfter || k.NotAfter < k.NotBefore:
		return nil, ErrBadKeyObject.Because("the key object is not within its certificate's time")
	case at < k.NotBefore || at > k.NotAfter:
		return nil, ErrBadKeyObject.Because("the key object is not valid at this time")
	}
	if err := t.prove(k, keyObject, o.sigKey, ErrBadKeyObject); err != nil {
		return nil, err
	}
	return k, nil
}

// DepartmentKeys gives the certificate of a department's highest generation
// that holds now, and its newest key object: whom a visitor writes to.
func (t *Trust) DepartmentKeys(dept [16]byte, now uint64) (Judged, *KeyObject, error) {
	t.mu.RLock()
	var found []*Certificate
	for _, x := range t.certificates {
		if x.Kind == Department && x.Dept == dept {
			found = append(found, x)
		}
	}
	keys := map[[32]byte][]*KeyObject{}
	for _, k := range t.keyObjects {
		keys[k.Owner] = append(keys[k.Owner], k)
	}
	policy := t.policy
	t.mu.RUnlock()
	if policy == nil {
		return Judged{}, nil, ErrPolicyRollback.Because("there is no policy")
	}
	slices.SortFunc(found, func(a, b *Certificate) int { return cmp.Compare(b.Generation, a.Generation) })
	last := error(ErrBadDepartmentKey.Because("no certificate of the department is known"))
	for _, x := range found {
		judged, err := t.Judge(x.Hash(), policy, now)
		if err != nil {
			last = err
			continue
		}
		of := keys[x.Hash()]
		slices.SortFunc(of, func(a, b *KeyObject) int { return -cmp.Compare(a.NotBefore, b.NotBefore) })
		for _, k := range of {
			if k, err := t.JudgeKey(k.Hash(), x, now); err == nil {
				return judged, k, nil
			}
		}
		last = ErrBadKeyObject.Because("the department has no key object that holds now")
	}
	return Judged{}, nil, fmt.Errorf("find the department's keys: %w", last)
}
