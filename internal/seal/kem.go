package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/mlkem"
	"errors"
	"fmt"
)

// Sizes of the KEM 0x647a (X-Wing: ML-KEM-768 with X25519), in bytes.
const (
	KEMSeedSize      = 32                                 // private key
	KEMPublicKeySize = mlkem.EncapsulationKeySize768 + 32 // 1216
	KEMEncSize       = mlkem.CiphertextSize768 + 32       // 1120, an encapsulated key
	wrapOverhead     = tagSize                            // what a wrapped secret has more than the secret
)

// NewKEMKey makes a private key of the KEM from its seed of 32 bytes.
func NewKEMKey(seed []byte) (hpke.PrivateKey, error) {
	if len(seed) != KEMSeedSize {
		return nil, fmt.Errorf("the seed of a KEM key has %d bytes, this one %d", KEMSeedSize, len(seed))
	}
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, fmt.Errorf("make a KEM key from its seed: %w", err)
	}
	return key, nil
}

// CheckKEMKey refuses by K2 what is no public key of the KEM: another length
// than 1216, an ML-KEM coefficient not below 3329 (FIPS 203, 7.2), or an X25519
// part that is not below 2^255-19, which RFC 7748, 5 would reduce and so read as
// another key's, or of small order (RFC 7748, 6.1).
func CheckKEMKey(publicKey []byte) error {
	_, err := parseKEMKey(publicKey)
	return err
}

func parseKEMKey(publicKey []byte) (hpke.PublicKey, error) {
	if len(publicKey) != KEMPublicKeySize {
		return nil, ErrBadKEMKey.Because("a KEM public key has %d bytes, this one %d", KEMPublicKeySize, len(publicKey))
	}
	pq, err := mlkem.NewEncapsulationKey768(publicKey[:mlkem.EncapsulationKeySize768])
	if err != nil {
		return nil, ErrBadKEMKey.Because("a coefficient of the ML-KEM part is not below 3329: %v", err)
	}
	if littleEndian(publicKey[mlkem.EncapsulationKeySize768:]).Cmp(fieldPrime) >= 0 {
		return nil, ErrBadKEMKey.Because("the X25519 part is not below 2^255-19")
	}
	curve, err := ecdh.X25519().NewPublicKey(publicKey[mlkem.EncapsulationKeySize768:])
	if err != nil {
		return nil, ErrBadKEMKey.Because("the X25519 part: %v", err)
	}
	// Every scalar of X25519 is a multiple of 8, so any one takes a point of
	// small order to zero, and the exchange refuses zero.
	scalar, err := ecdh.X25519().NewPrivateKey(make([]byte, 32))
	if err != nil {
		return nil, fmt.Errorf("make the scalar that finds small orders: %w", err)
	}
	if _, err := scalar.ECDH(curve); err != nil {
		return nil, ErrBadKEMKey.Because("the X25519 part is a point of small order")
	}
	key, err := hpke.NewHybridPublicKey(pq, curve)
	if err != nil {
		return nil, ErrBadKEMKey.Because("%v", err)
	}
	return key, nil
}

// WrapSecret seals secrets of 32 bytes each, at most 2000, to a recipient's public key by HPKE in
// base mode, single shot, with empty AAD (RFC 9180, 6.1). It returns the
// encapsulated key of 1120 bytes and the secret's ciphertext, which is 16 bytes
// longer than the secret. A bad public key is refused by K2.
func WrapSecret(secret, recipient, info []byte) (enc, ct []byte, err error) {
	if !isSecretSize(len(secret)) {
		return nil, nil, fmt.Errorf("a secret to wrap has 32 bytes or a multiple of it, this one %d", len(secret))
	}
	key, err := parseKEMKey(recipient)
	if err != nil {
		return nil, nil, err
	}
	enc, sender, err := hpke.NewSender(key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return nil, nil, fmt.Errorf("encapsulate a key: %w", err)
	}
	if ct, err = sender.Seal(nil, secret); err != nil {
		return nil, nil, fmt.Errorf("wrap a secret: %w", err)
	}
	return enc, ct, nil
}

// OpenSecret opens what WrapSecret made for the private key with the same info, and
// returns the secret of size bytes, a multiple of 32. Anything else is refused by W4,
// without telling why: the reasons would tell about the key.
func OpenSecret(key hpke.PrivateKey, enc, ct, info []byte, size int) ([]byte, error) {
	if !isSecretSize(size) {
		return nil, fmt.Errorf("a wrapped secret has 32 bytes or a multiple of it, %d were asked for", size)
	}
	if key.KEM().ID() != hpke.MLKEM768X25519().ID() {
		return nil, errors.New("the private key is of another KEM than 0x647a")
	}
	if len(enc) != KEMEncSize {
		return nil, ErrWrapOpen.Because("an encapsulated key has %d bytes, this one %d", KEMEncSize, len(enc))
	}
	if len(ct) != size+wrapOverhead {
		return nil, ErrWrapOpen.Because("a wrapped secret has %d bytes, this one %d", size+wrapOverhead, len(ct))
	}
	recipient, err := hpke.NewRecipient(enc, key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return nil, errWrapContent
	}
	secret, err := recipient.Open(nil, ct)
	if err != nil {
		return nil, errWrapContent
	}
	return secret, nil
}

var errWrapContent = ErrWrapOpen.Because("the wrap is not for this key, or not for this place")

// isSecretSize reports whether n is the size of secrets that are wrapped: of one
// epoch, of a department, or of a grant's epochs.
func isSecretSize(n int) bool { return n > 0 && n%32 == 0 && n <= 32*maxEpochs }
