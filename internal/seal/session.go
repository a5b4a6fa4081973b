package seal

import "crypto/ed25519"

// SessionAge is how far a session proof's time may be off, in milliseconds.
const SessionAge = 5 * Minute

// NewSession makes a session proof by an owner's key.
func NewSession(org, challenge [32]byte, keys Keys, now uint64) []byte {
	s := &Session{Org: org, Challenge: challenge, Owner: keys.Owner, Time: now}
	Sign(s, org, nil, keys.Sign)
	return s.Bytes()
}

// Check says whether a session proof is for a challenge and signed by the
// owner's key now. It refuses by S1.
func (s *Session) Check(org, challenge, sigKey [32]byte, now uint64) error {
	if s.Org != org || s.Challenge != challenge {
		return ErrNoSession.Because("the proof is for another organisation or challenge")
	}
	if !near(s.Time, now, SessionAge) {
		return ErrNoSession.Because("the proof's time is more than five minutes off")
	}
	return verified(s, org, nil, 0, sigKey, ErrNoSession)
}

// PublicKey is the public half of an Ed25519 key, as certificates carry it.
func PublicKey(k ed25519.PrivateKey) [32]byte {
	public, _ := k.Public().(ed25519.PublicKey)
	return [32]byte(public)
}
