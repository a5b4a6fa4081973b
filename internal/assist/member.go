// Package assist is the server's own seat in assisted departments, where it is
// a listed member with a certificate of its own: it opens what it receives there
// and brings it to one [Reader]. In a sealed department the server is no member,
// so that there is nothing here that could open a word of it.
//
// Nothing of what was said is stored or logged here, only how far was read. A
// conversation waits for nothing here: what fails is logged by its rule, tried
// again later, and caught up by sequence, after a restart too.
package assist

import (
	"crypto/ed25519"
	"crypto/hpke"
	"fmt"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// SecretSize is the length of the server's secret: a seed for Ed25519 and a seed
// for X-Wing, 32 bytes each.
const SecretSize = 64

// Member is the server as a member: the keys that it has made once.
type Member struct {
	sign ed25519.PrivateKey
	kem  hpke.PrivateKey
}

// NewMember makes the keys of a secret.
func NewMember(secret [SecretSize]byte) (*Member, error) {
	kem, err := seal.NewKEMKey(secret[32:])
	if err != nil {
		return nil, fmt.Errorf("make the server's keys: %w", err)
	}
	return &Member{ed25519.NewKeyFromSeed(secret[:32]), kem}, nil
}

// Request asks the organisation's office for the server's certificate.
func (m *Member) Request() []byte { return seal.NewServerRequest(m.sign) }

// Place is one certificate of the server. Its key object needs no memory: for
// one certificate it is always the same.
type Place struct {
	Certificate *seal.Certificate
	KeyObject   *seal.KeyObject
}

// Places are the certificates that the office has signed for this server, the
// newest first: conversations go on with the one that they began with.
func (m *Member) Places(trust *seal.Trust) []Place {
	if trust == nil {
		return nil
	}
	var places []Place
	for _, x := range trust.CertificatesOf(seal.PublicKey(m.sign)) {
		if x.Kind != seal.Server {
			continue
		}
		k := &seal.KeyObject{
			Org: x.Org, Owner: x.Hash(), KEMKey: [seal.KEMPublicKeySize]byte(m.kem.PublicKey().Bytes()),
			NotBefore: x.NotBefore, NotAfter: x.NotAfter,
		}
		seal.Sign(k, x.Org, nil, m.sign)
		places = append(places, Place{x, k})
	}
	return places
}

// keys are those of a place, to sit with.
func (m *Member) keys(p Place) seal.Keys {
	return seal.Keys{
		Owner: p.Certificate.Hash(), Sign: m.sign,
		KEM: map[[32]byte]hpke.PrivateKey{p.KeyObject.Hash(): m.kem},
	}
}
