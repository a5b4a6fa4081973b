package seal

import (
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// mixedKey is a public key with a part of order 8, and the scalar of its other
// part: half of what it signs holds for verifiers with a cofactor only.
type mixedKey struct {
	scalar *big.Int
	base   point
	public [32]byte
}

func newMixedKey(t *testing.T, seed byte) mixedKey {
	t.Helper()
	base, err := decodePoint(unhex(t, "58"+strings.Repeat("66", 31)))
	if err != nil {
		t.Fatal(err)
	}
	torsion, err := decodePoint(unhex(t, weakKeys[6]))
	if err != nil {
		t.Fatal(err)
	}
	k := mixedKey{scalar: sha512Scalar(key(t, seed).Seed()), base: base}
	k.public = [32]byte(base.times(k.scalar).plus(torsion).encode())
	return k
}

// sign signs an object in place. With everywhere, every verifier takes the
// signature; without, only one that multiplies by the cofactor.
func (k mixedKey) sign(o Object, org [32]byte, everywhere bool) {
	encode(o)
	e := o.base()
	message := signed(o, org, nil, 0).input()
	for i := uint32(0); ; i++ {
		nonce := sha512.Sum512(binary.BigEndian.AppendUint32(slices.Clone(message), i))
		r := new(big.Int).Mod(littleEndian(nonce[:]), groupOrder)
		point := k.base.times(r).encode()
		hash := sha512.Sum512(slices.Concat(point, k.public[:], message))
		whole := littleEndian(hash[:])
		h := new(big.Int).Mod(whole, groupOrder)
		eight := big.NewInt(7)
		takes := new(big.Int).And(whole, eight).Sign() == 0 && new(big.Int).And(h, eight).Sign() == 0
		never := whole.Bit(0) == 1 && h.Bit(0) == 1
		if everywhere && !takes || !everywhere && !never {
			continue
		}
		s := new(big.Int).Mul(h, k.scalar)
		s.Mod(s.Add(s, r), groupOrder)
		little := s.FillBytes(make([]byte, 32))
		slices.Reverse(little)
		copy(e.bytes[e.signatures[0]:], slices.Concat(point, little))
		return
	}
}

// mixed adds the cases of a visitor whose key is of mixed order.
func (c *cases) mixed(w *world) {
	k := newMixedKey(c.t, 76)
	g := &Genesis{Org: w.org, Dept: w.dept, Mode: Sealed, PolicyHash: w.policy.Hash(), SigKey: k.public, Nonce: [32]byte{6}, Time: w.now}
	start := func(name string, rule Refusal, everywhere, server bool) {
		k.sign(g, w.org, everywhere)
		a := w.attack()
		a.input, a.live, a.primeOrder = slices.Clone(g.Bytes()), true, server
		c.add(name, rule, "genesis", a)
	}
	start("a reader takes a genesis with a key of mixed order", accepted, true, false)
	start("a server refuses a genesis with a key of mixed order", ErrGenesisSignature, true, true)
	start("signature that holds with a cofactor only", ErrGenesisSignature, false, false)
}
