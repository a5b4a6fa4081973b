package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// weakKeys is every encoding that decodes, somewhere, to a point of small
// order: eight canonical ones, and six with y not below p or a sign at x = 0.
var weakKeys = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signingKey(n byte) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte{'e', n})
	return ed25519.NewKeyFromSeed(seed[:])
}

// sha512Scalar is the secret scalar of a seed (RFC 8032, 5.1.5).
func sha512Scalar(seed []byte) *big.Int {
	h := sha512.Sum512(seed)
	h[0] &= 0xf8
	h[31] = h[31]&0x7f | 0x40
	return littleEndian(h[:32])
}

func publicOf(key ed25519.PrivateKey) []byte { return key[32:] }

// encode is the canonical encoding of a point.
func (p point) encode() []byte {
	inverse := new(big.Int).ModInverse(p.z, fieldPrime)
	x, y := multiply(p.x, inverse), multiply(p.y, inverse)
	y.SetBit(y, 255, x.Bit(0))
	encoded := y.FillBytes(make([]byte, 32))
	slices.Reverse(encoded)
	return encoded
}

func TestCheckPublicKey_K1(t *testing.T) {
	for _, weak := range weakKeys {
		t.Run("[K1] small order "+weak[:2]+".."+weak[60:], func(t *testing.T) {
			key := unhex(t, weak)
			if err := CheckPublicKey(key); !errors.Is(err, ErrWeakKey) {
				t.Errorf("CheckPublicKey: %v", err)
			}
			if err := CheckPrimeOrder(key); !errors.Is(err, ErrWeakKey) {
				t.Errorf("CheckPrimeOrder: %v", err)
			}
			// R = identity and S = 0 verify under a key of small order.
			forged := append(unhex(t, weakKeys[0]), make([]byte, 32)...)
			if err := (Signed{}).Verify(key, forged); !errors.Is(err, ErrWeakKey) {
				t.Errorf("Verify: %v", err)
			}
		})
	}
	t.Run("[K1] every y not below p", func(t *testing.T) {
		for low := 0xed; low <= 0xff; low++ {
			for _, high := range []byte{0x7f, 0xff} {
				key := unhex(t, strings.Repeat("ff", 32))
				key[0], key[31] = byte(low), high
				if err := CheckPublicKey(key); !errors.Is(err, ErrWeakKey) {
					t.Errorf("%x: %v", key, err)
				}
			}
		}
	})
	t.Run("[K1] no point of the curve", func(t *testing.T) {
		refused := 0
		for y := byte(2); y < 34; y++ {
			key := make([]byte, 32)
			key[0] = y
			if err := CheckPublicKey(key); err != nil {
				refused++
				if !errors.Is(err, ErrWeakKey) {
					t.Errorf("y = %d: %v", y, err)
				}
				if err := (Signed{}).Verify(key, make([]byte, 64)); !errors.Is(err, ErrWeakKey) {
					t.Errorf("y = %d, Verify: %v", y, err)
				}
			}
		}
		if refused < 8 || refused > 24 {
			t.Errorf("%d of 32 refused; about half of all y are no points", refused)
		}
	})
	t.Run("[K1] length", func(t *testing.T) {
		for _, n := range []int{0, 1, 31, 33, 64} {
			if err := CheckPublicKey(make([]byte, n)); !errors.Is(err, ErrWeakKey) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	})
	for n := range byte(32) {
		if err := CheckPrimeOrder(publicOf(signingKey(n))); err != nil {
			t.Errorf("an honest key: %v", err)
		}
	}
}

func TestCheckPrimeOrder_K19(t *testing.T) {
	honest := publicOf(signingKey(1))
	p, err := decodePoint(honest)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.encode(), honest) {
		t.Fatalf("decoding and encoding gives %x of %x", p.encode(), honest)
	}
	for _, weak := range weakKeys[:10] {
		torsion, err := decodePoint(unhex(t, weak))
		if err != nil {
			continue // a sign at x = 0
		}
		if !torsion.times(big.NewInt(8)).isIdentity() {
			t.Errorf("8 times %s is not the identity", weak)
		}
		sum := p.plus(torsion)
		if torsion.isIdentity() {
			if !slices.Equal(sum.encode(), honest) {
				t.Error("adding the identity changes a point")
			}
			continue
		}
		t.Run("[K19] mixed order "+weak[:2]+".."+weak[60:], func(t *testing.T) {
			if err := CheckPublicKey(sum.encode()); err != nil {
				t.Errorf("[K1] refuses a point that is not of small order: %v", err)
			}
			if err := CheckPrimeOrder(sum.encode()); !errors.Is(err, ErrMixedOrder) {
				t.Errorf("CheckPrimeOrder: %v", err)
			}
		})
	}
	// n B is the public key of a scalar n: the arithmetic agrees with crypto/ed25519.
	seed := sha256.Sum256([]byte("scalar"))
	base, err := decodePoint(unhex(t, "58"+strings.Repeat("66", 31)))
	if err != nil {
		t.Fatal(err)
	}
	scalar := sha512Scalar(seed[:])
	if want := publicOf(ed25519.NewKeyFromSeed(seed[:])); !slices.Equal(base.times(scalar).encode(), want) {
		t.Errorf("%x, want %x", base.times(scalar).encode(), want)
	}
}

func TestSigned(t *testing.T) {
	key := signingKey(1)
	signed := Signed{Kind: 3, Org: [32]byte{7}, Prefix: []byte("prefix"), Content: []byte("content")}
	body := sha256.Sum256([]byte("prefixcontent"))
	input := "ASC1 signature\x03" + string(signed.Org[:]) + string(body[:])
	if string(signed.input()) != input {
		t.Fatalf("input %x, want %x", signed.input(), input)
	}
	signature := signed.Sign(key)
	if !ed25519.Verify(publicOf(key), []byte(input), signature) {
		t.Error("crypto/ed25519 refuses the signature")
	}
	if err := signed.Verify(publicOf(key), signature); err != nil {
		t.Error(err)
	}
	for name, other := range map[string]Signed{
		"kind":    {4, signed.Org, signed.Prefix, signed.Content},
		"org":     {3, [32]byte{8}, signed.Prefix, signed.Content},
		"prefix":  {3, signed.Org, []byte("Prefix"), signed.Content},
		"content": {3, signed.Org, signed.Prefix, []byte("other")},
	} {
		if err := other.Verify(publicOf(key), signature); !errors.Is(err, ErrSignature) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if err := signed.Verify(publicOf(signingKey(2)), signature); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	for i := range signature {
		altered := slices.Clone(signature)
		altered[i] ^= 1
		if err := signed.Verify(publicOf(key), altered); err == nil {
			t.Errorf("byte %d altered: accepted", i)
		}
	}
	for _, n := range []int{0, 63} {
		if err := signed.Verify(publicOf(key), signature[:n]); !errors.Is(err, ErrWeakKey) {
			t.Errorf("[K1] %d bytes: %v", n, err)
		}
	}
	t.Run("[K1] S plus the group's order", func(t *testing.T) {
		s := littleEndian(signature[32:])
		raised := s.Add(s, groupOrder).FillBytes(make([]byte, 32))
		slices.Reverse(raised)
		if err := signed.Verify(publicOf(key), append(slices.Clone(signature[:32]), raised...)); !errors.Is(err, ErrWeakKey) {
			t.Errorf("accepted: %v", err)
		}
	})
	t.Run("[K1] R not canonical", func(t *testing.T) {
		for _, i := range []int{1, 3, 10, 11, 12, 13} {
			if err := signed.Verify(publicOf(key), append(unhex(t, weakKeys[i]), signature[32:]...)); !errors.Is(err, ErrWeakKey) {
				t.Errorf("%s: %v", weakKeys[i], err)
			}
		}
	})
}

func FuzzCheckPublicKey(f *testing.F) {
	for _, weak := range weakKeys {
		f.Add(unhex(f, weak))
	}
	f.Add(publicOf(signingKey(1)))
	f.Fuzz(func(t *testing.T, key []byte) {
		err := CheckPublicKey(key)
		if err != nil {
			if !errors.Is(err, ErrWeakKey) {
				t.Errorf("no refusal by K1: %v", err)
			}
			return
		}
		p, err := decodePoint(key)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.encode(), key) {
			t.Errorf("%x is not the one encoding of its point", key)
		}
		if p.times(big.NewInt(8)).isIdentity() {
			t.Errorf("%x is of small order", key)
		}
	})
}
