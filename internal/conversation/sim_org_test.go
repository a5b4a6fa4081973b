package conversation_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"sync"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// simTime is when every history begins, in milliseconds.
const simTime = 1_800_000_000_000

// org is the organisation of all histories: two departments and three people.
// What it has signed is the same in every run; a history changes nothing of it.
type org struct {
	door     *policy.Policy
	id       [32]byte
	objects  [][]byte // as a directory would have them
	dept     [16]byte
	deptKey  ed25519.PrivateKey
	deptCert [32]byte
	deptKEM  [32]byte // hash of the key object
	agents   []staff  // of the department; the last one is of another
	kem      [][]byte // public KEM keys that visitors may take
}

// staff is a certified device.
type staff struct {
	name    string
	key     ed25519.PrivateKey
	cert    *seal.Certificate
	keyHash [32]byte
}

func signer(n byte) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte{'k', n})
	return ed25519.NewKeyFromSeed(seed[:])
}

func kemPublic(t testing.TB, n byte) []byte {
	t.Helper()
	var seed [seal.KEMSeedSize]byte
	seed[0] = n
	key, err := seal.NewKEMKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return key.PublicKey().Bytes()
}

// founded makes the organisation once.
func founded(t testing.TB) *org {
	t.Helper()
	orgOnce.Do(func() { orgMade = newOrg(t) })
	return orgMade
}

var (
	orgOnce sync.Once
	orgMade *org
)

func newOrg(t testing.TB) *org {
	t.Helper()
	door, err := policy.New()
	if err != nil {
		t.Fatal(err)
	}
	o := &org{door: door, dept: [16]byte{0xd1}, deptKey: signer(4)}
	root, status, office := signer(1), signer(2), signer(3)
	rootKey := seal.PublicKey(root)
	o.id = sha256.Sum256(rootKey[:])
	issuer := &seal.Certificate{
		Org: o.id, Kind: seal.Enroller, Custody: seal.Company, Rights: 7, Name: "office", SigKey: seal.PublicKey(office),
		NotBefore: simTime - seal.Day, NotAfter: simTime + 300*seal.Day, Issuer: o.id,
	}
	seal.Sign(issuer, o.id, nil, root)
	other := [16]byte{0xd2}
	policy := &seal.Policy{
		Org: o.id, RootKey: rootKey, Version: 1, Time: simTime - seal.Hour, MinVersion: 1, StatusKey: seal.PublicKey(status),
		StatusCustody: seal.Operator, MaxCertDays: 30, Enrollers: [][32]byte{issuer.Hash()},
	}
	for _, id := range [][16]byte{o.dept, other} {
		policy.Departments = append(policy.Departments, seal.DepartmentPolicy{
			ID: id, Mode: seal.Sealed, Roles: 1<<seal.Agent | 1<<seal.Supervisor | 1<<seal.Department,
			MaxAgeHours: 48, MaxCertDays: 14,
		})
	}
	seal.Sign(policy, o.id, nil, root)
	state := &seal.Status{
		Org: o.id, PolicyVersion: 1, PolicyHash: policy.Hash(), IssuedAt: simTime - seal.Minute, NotAfter: simTime + 23*seal.Hour,
	}
	seal.Sign(state, o.id, nil, status)
	o.objects = [][]byte{policy.Bytes(), issuer.Bytes(), state.Bytes()}
	certify := func(n byte, key ed25519.PrivateKey, edit func(*seal.Certificate)) (*seal.Certificate, [32]byte) {
		x := &seal.Certificate{
			Org: o.id, Kind: seal.Agent, Custody: seal.Company, Subject: [16]byte{n}, Device: [16]byte{n}, Serial: [16]byte{n},
			SigKey: seal.PublicKey(key), NotBefore: simTime - seal.Hour, NotAfter: simTime + 13*seal.Day, Issuer: issuer.Hash(),
		}
		edit(x)
		seal.Sign(x, o.id, nil, office)
		k := &seal.KeyObject{
			Org: o.id, Owner: x.Hash(), KEMKey: [seal.KEMPublicKeySize]byte(kemPublic(t, n)),
			NotBefore: simTime - seal.Hour, NotAfter: simTime + 10*seal.Day,
		}
		seal.Sign(k, o.id, nil, key)
		o.objects = append(o.objects, x.Bytes(), k.Bytes())
		return x, k.Hash()
	}
	dept, keyObject := certify(5, o.deptKey, func(x *seal.Certificate) {
		x.Kind, x.Dept, x.Generation, x.Name = seal.Department, o.dept, 1, "support"
	})
	o.deptCert, o.deptKEM = dept.Hash(), keyObject
	for i, name := range []string{"Ana", "Luis", "Otto"} {
		s := staff{name: name, key: signer(byte(20 + i))}
		s.cert, s.keyHash = certify(byte(20+i), s.key, func(x *seal.Certificate) {
			x.Name, x.Departments = name, [][16]byte{o.dept}
			if name == "Otto" {
				x.Departments = [][16]byte{other}
			}
		})
		o.agents = append(o.agents, s)
	}
	for n := range byte(4) {
		o.kem = append(o.kem, kemPublic(t, 100+n))
	}
	return o
}

// trust is what a process that has just started believes. Its keys are known to
// be good, so the slow check of K19 is left out.
func (o *org) trust() *seal.Trust {
	t := seal.NewTrust(o.id, 0, false)
	for _, object := range o.objects {
		if err := t.Add(object); err != nil {
			panic(err)
		}
	}
	return t
}
