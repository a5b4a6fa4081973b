package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
)

// An epoch secret is an array and no slice: a secret that is missing or too
// short cannot be passed.

// Commit is the commitment of an epoch to its secret: HKDF(es, "asc1 commit" ||
// core_hash, 32).
func Commit(es, coreHash [32]byte) [32]byte {
	return [32]byte(derive(es[:], "asc1 commit"+string(coreHash[:]), 32))
}

// MessageKeys belong to one header in one epoch, and so to one body.
type MessageKeys struct {
	Key        [32]byte // AES-256-GCM
	Nonce      [12]byte // AES-256-GCM
	Commitment [32]byte // kf: HMAC-SHA-256; opens one message to who gets it in a report
}

// DeriveMessageKeys gives the keys of the event whose object header and header
// together are h: K = HKDF(es, "asc1 msgs", 32), then 76 bytes of HKDF(K,
// "asc1 msg" || epoch_hash || SHA-256(h)).
func DeriveMessageKeys(es, epochHash [32]byte, h []byte) MessageKeys {
	header := sha256.Sum256(h)
	info := "asc1 msg" + string(epochHash[:]) + string(header[:])
	okm := derive(derive(es[:], "asc1 msgs", 32), info, 76)
	return MessageKeys{
		Key:        [32]byte(okm[:32]),
		Nonce:      [12]byte(okm[32:44]),
		Commitment: [32]byte(okm[44:]),
	}
}

// NewMessageID draws the msg_id of a message: h0 is its h without the id,
// padded its padded payload. Since it mixes secret, header and body, it does
// not repeat for another message even where the random source does.
func NewMessageID(es [32]byte, h0, padded []byte) [16]byte {
	var random [32]byte
	rand.Read(random[:]) // never fails: the program ends instead
	return messageID(es, random, h0, padded)
}

// messageID is HMAC-SHA-256(HKDF(es, "asc1 id", 32), random || h0 || padded),
// first 16 bytes. The sender alone computes it, so no reader depends on where
// h0 ends.
func messageID(es, random [32]byte, h0, padded []byte) [16]byte {
	mac := hmac.New(sha256.New, derive(es[:], "asc1 id", 32))
	mac.Write(random[:])
	mac.Write(h0)
	mac.Write(padded)
	return [16]byte(mac.Sum(nil)[:16])
}

// derive is HKDF-SHA256 with the empty salt (RFC 5869).
func derive(ikm []byte, info string, size int) []byte {
	okm, err := hkdf.Key(sha256.New, ikm, nil, info, size)
	if err != nil {
		panic("seal: HKDF: " + err.Error()) // only for more than 8160 bytes
	}
	return okm
}
