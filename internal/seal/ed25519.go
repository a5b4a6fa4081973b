package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math/big"
	"slices"
)

// ErrSignature says that a well-formed signature does not belong to key and
// content. Which rule that breaks (G2, E22, V7 …) is known to the caller only.
var ErrSignature = errors.New("the signature does not belong to this key and content: ask for the object again, and distrust its source when it stays so")

// Signed is what a signature covers, by section 3 of protocol/SPEC.md.
type Signed struct {
	Kind    byte     // kind of the object
	Org     [32]byte // org_id
	Prefix  []byte   // conv || epoch_hash for an event, empty for other kinds
	Content []byte   // the object's bytes before the signature
}

// input is "ASC1 signature" || kind(1) || org_id(32) || SHA-256(prefix || content).
func (s Signed) input() []byte {
	h := sha256.New()
	h.Write(s.Prefix)
	h.Write(s.Content)
	in := append([]byte("ASC1 signature"), s.Kind)
	in = append(in, s.Org[:]...)
	return h.Sum(in)
}

// Sign returns the Ed25519 signature of 64 bytes. It panics when key has not
// the 64 bytes of an ed25519.PrivateKey.
func (s Signed) Sign(key ed25519.PrivateKey) []byte {
	return ed25519.Sign(key, s.input())
}

// Verify checks a signature of 64 bytes by a public key of 32 (RFC 8032,
// 5.1.7, cofactorless). A key, R or S that is badly encoded or weak is refused
// by K1; a signature of something else is ErrSignature.
func (s Signed) Verify(publicKey, signature []byte) error {
	return verify(publicKey, s.input(), signature)
}

func verify(publicKey, message, signature []byte) error {
	if err := checkEncoding(publicKey); err != nil {
		return err
	}
	if len(signature) != ed25519.SignatureSize {
		return ErrWeakKey.Because("an Ed25519 signature has 64 bytes, this one %d", len(signature))
	}
	if _, err := canonicalY(signature[:32]); err != nil {
		return ErrWeakKey.Because("R of the signature: %v", err)
	}
	if littleEndian(signature[32:]).Cmp(groupOrder) >= 0 {
		return ErrWeakKey.Because("S of the signature is not below the group's order")
	}
	if ed25519.Verify(publicKey, message, signature) {
		return nil
	}
	// A key that is no point verifies nothing; only here the slow check pays.
	if err := CheckPublicKey(publicKey); err != nil {
		return err
	}
	return ErrSignature
}

// CheckPublicKey refuses by K1 what is no public key of 32 bytes that
// everybody reads alike: y not below p, x = 0 with a sign, no point of the
// curve, or a point of small order. Go, Node and browsers accept all of these
// but the third.
func CheckPublicKey(publicKey []byte) error {
	if err := checkEncoding(publicKey); err != nil {
		return err
	}
	_, err := decodePoint(publicKey)
	return err
}

// CheckPrimeOrder is CheckPublicKey and refuses by K19 a point with a part of
// small order, by which verifiers with and without cofactor could disagree.
// Servers and enrollers ask for it once for each key: it takes about a
// millisecond.
func CheckPrimeOrder(publicKey []byte) error {
	if err := checkEncoding(publicKey); err != nil {
		return err
	}
	p, err := decodePoint(publicKey)
	if err != nil {
		return err
	}
	if !p.times(groupOrder).isIdentity() {
		return ErrMixedOrder.Because("the Ed25519 public key is not of prime order")
	}
	return nil
}

// checkEncoding is CheckPublicKey without the question whether the point is on
// the curve.
func checkEncoding(publicKey []byte) error {
	if len(publicKey) != ed25519.PublicKeySize {
		return ErrWeakKey.Because("an Ed25519 public key has 32 bytes, this one %d", len(publicKey))
	}
	y, err := canonicalY(publicKey)
	if err != nil {
		return ErrWeakKey.Because("the Ed25519 public key: %v", err)
	}
	if slices.ContainsFunc(smallOrder, func(small *big.Int) bool { return y.Cmp(small) == 0 }) {
		return ErrWeakKey.Because("the Ed25519 public key is a point of small order")
	}
	return nil
}

// The arithmetic below meets public keys only, so it need not take constant
// time. Curve: -x² + y² = 1 + d x² y² over the integers modulo p = 2^255 - 19
// (RFC 8032, 5.1).
var (
	fieldPrime = number("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed")
	groupOrder = number("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed")
	curveD     = number("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3")
	one        = big.NewInt(1)

	// smallOrder is y of the eight points whose order divides 8; two points
	// share each y but 1 and p-1. The last two are of order 8.
	smallOrder = []*big.Int{
		big.NewInt(0),
		big.NewInt(1),
		number("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"),
		number("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
		number("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"),
	}
)

func number(hexadecimal string) *big.Int {
	n, ok := new(big.Int).SetString(hexadecimal, 16)
	if !ok {
		panic("seal: no hexadecimal number: " + hexadecimal)
	}
	return n
}

func littleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// canonicalY reads y of an encoded point of 32 bytes: below p, and without a
// sign where x is 0, which is at y = 1 and y = p-1.
func canonicalY(encoded []byte) (*big.Int, error) {
	y := littleEndian(encoded)
	sign := y.Bit(255) == 1
	y.SetBit(y, 255, 0)
	if y.Cmp(fieldPrime) >= 0 {
		return nil, errors.New("y is not below 2^255-19")
	}
	if sign && (y.Cmp(one) == 0 || y.Cmp(smallOrder[2]) == 0) {
		return nil, errors.New("x is 0 and has a sign")
	}
	return y, nil
}

// point has extended coordinates: x = X/Z, y = Y/Z, x y = T/Z.
type point struct{ x, y, z, t *big.Int }

// decodePoint reads a canonical encoding (RFC 8032, 5.1.3) or refuses by K1.
func decodePoint(encoded []byte) (point, error) {
	y, err := canonicalY(encoded)
	if err != nil {
		return point{}, ErrWeakKey.Because("the Ed25519 public key: %v", err)
	}
	// x² = (y² - 1) / (d y² + 1); the divisor is never 0 since -1/d is no square.
	square := multiply(y, y)
	divisor := new(big.Int).Add(multiply(curveD, square), one)
	divisor.ModInverse(divisor, fieldPrime)
	x := new(big.Int).ModSqrt(multiply(square.Sub(square, one), divisor), fieldPrime)
	if x == nil {
		return point{}, ErrWeakKey.Because("the Ed25519 public key is no point of the curve")
	}
	if x.Bit(0) != uint(encoded[31]>>7) {
		x.Sub(fieldPrime, x)
	}
	return point{x: x, y: y, z: one, t: multiply(x, y)}, nil
}

// multiply is a b mod p.
func multiply(a, b *big.Int) *big.Int {
	product := new(big.Int).Mul(a, b)
	return product.Mod(product, fieldPrime)
}

// plus adds by the complete formulas for a = -1 (Hisil, Wong, Carter and
// Dawson, "Twisted Edwards Curves Revisited", 2008, section 3.1), which also
// double.
func (p point) plus(q point) point {
	sum := func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
	difference := func(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }
	a := multiply(difference(p.y, p.x), difference(q.y, q.x))
	b := multiply(sum(p.y, p.x), sum(q.y, q.x))
	c := multiply(multiply(p.t, q.t), sum(curveD, curveD))
	d := multiply(p.z, sum(q.z, q.z))
	e, f, g, h := difference(b, a), difference(d, c), sum(d, c), sum(b, a)
	return point{x: multiply(e, f), y: multiply(g, h), z: multiply(f, g), t: multiply(e, h)}
}

// times is n p, by doubling and adding from the highest bit.
func (p point) times(n *big.Int) point {
	product := point{x: new(big.Int), y: one, z: one, t: new(big.Int)}
	for i := n.BitLen() - 1; i >= 0; i-- {
		product = product.plus(product)
		if n.Bit(i) == 1 {
			product = product.plus(p)
		}
	}
	return product
}

func (p point) isIdentity() bool {
	return p.x.Sign() == 0 && p.y.Cmp(p.z) == 0
}
