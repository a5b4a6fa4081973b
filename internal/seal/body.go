package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Sizes of a padded payload, in bytes.
const (
	minPadded  = 64
	pageSize   = 4096 // from here on, sizes are multiples of it
	maxPadded  = 12288
	lengthSize = 4
	tagSize    = 16

	// MaxPayload is the longest payload that Pad takes.
	MaxPayload = maxPadded - lengthSize
)

// bucket is the padded size for a payload of n bytes.
func bucket(n int) int {
	n += lengthSize
	if n > pageSize {
		return (n + pageSize - 1) / pageSize * pageSize
	}
	size := minPadded
	for size < n {
		size *= 2
	}
	return size
}

// Pad returns len(4) || payload || zeros in the smallest size of 64, 128, 256
// … 4096, 8192, 12288 that holds it. A payload over MaxPayload is refused by
// V10.
func Pad(payload []byte) ([]byte, error) {
	n := len(payload)
	if n > MaxPayload {
		return nil, ErrPadding.Because("a payload has at most %d bytes, this one %d", MaxPayload, n)
	}
	padded := make([]byte, bucket(n))
	binary.BigEndian.PutUint32(padded, uint32(n))
	copy(padded[lengthSize:], payload)
	return padded, nil
}

// Unpad returns the payload, a part of padded. It refuses by V10 everything
// that Pad would not have made.
func Unpad(padded []byte) ([]byte, error) {
	if len(padded) < minPadded || len(padded) > maxPadded {
		return nil, ErrPadding.Because("a padded payload has %d to %d bytes, this one %d", minPadded, maxPadded, len(padded))
	}
	length := binary.BigEndian.Uint32(padded)
	if length > MaxPayload {
		return nil, ErrPadding.Because("a payload has at most %d bytes, this one says %d", MaxPayload, length)
	}
	n := int(length)
	if size := bucket(n); size != len(padded) {
		return nil, ErrPadding.Because("a payload of %d bytes is padded to %d, this one to %d", n, size, len(padded))
	}
	for _, b := range padded[lengthSize+n:] {
		if b != 0 {
			return nil, ErrPadding.Because("the padding is not all zeros")
		}
	}
	return padded[lengthSize : lengthSize+n], nil
}

// SealBody encrypts a padded payload and commits to it: ct =
// AES-256-GCM(key, nonce, padded, aad), 16 bytes longer than padded, and
// C = HMAC-SHA-256(kf, aad || padded). The keys must be those of the header in
// aad, with a msg_id that NewMessageID drew for this very payload: keys that
// seal two payloads give both away. What Pad did not make is refused by V10.
func SealBody(keys MessageKeys, aad, padded []byte) (ct []byte, commitment [32]byte, err error) {
	if _, err := Unpad(padded); err != nil {
		return nil, commitment, err
	}
	return gcm(keys.Key).Seal(nil, keys.Nonce[:], padded, aad), commit(keys, aad, padded), nil
}

// OpenBody decrypts what SealBody made and returns the payload. It refuses by
// V8 what was altered or sealed under other keys, by V9 a commitment to
// something else, and by V10 bad padding.
func OpenBody(keys MessageKeys, aad, ct []byte, commitment [32]byte) ([]byte, error) {
	padded, err := gcm(keys.Key).Open(nil, keys.Nonce[:], ct, aad)
	if err != nil {
		return nil, ErrDecrypt.Because("the body does not open with the key of its header, epoch and conversation")
	}
	expected := commit(keys, aad, padded)
	if !hmac.Equal(expected[:], commitment[:]) {
		return nil, ErrCommitment.Because("the event commits to another body than it carries")
	}
	return Unpad(padded)
}

// commit makes AES-GCM committing. The header fixes the length of aad, so
// aad || padded has one reading.
func commit(keys MessageKeys, aad, padded []byte) [32]byte {
	mac := hmac.New(sha256.New, keys.Commitment[:])
	mac.Write(aad)
	mac.Write(padded)
	return [32]byte(mac.Sum(nil))
}

func gcm(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("seal: AES: " + err.Error()) // only for another key length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: GCM: " + err.Error()) // only for another block length
	}
	return aead
}
