package seal

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"slices"
	"strings"
)

// Invitation is the secret that an enroller's device hands to a person.
type Invitation [16]byte

// NewInvitation draws one.
func NewInvitation() Invitation {
	var inv Invitation
	rand.Read(inv[:])
	return inv
}

const (
	invitationSize  = 16
	invitationCheck = 22 // bits
	invitationText  = 30
)

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// full is the secret and its check, in 19 bytes of which the last two bits are
// zero: 150 bits are 30 characters.
func (i Invitation) full() []byte {
	check := sha256.Sum256(append([]byte("asc1 invitation"), i[:]...))
	return append(i[:], check[0], check[1], check[2]&0xfc)
}

// String is the invitation as six groups of five characters of Crockford's
// base 32, of which the last 22 bits are a check.
func (i Invitation) String() string {
	text := crockford.EncodeToString(i.full())[:invitationText]
	var groups []string
	for group := range slices.Chunk([]byte(text), 5) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}

// ErrInvitation says that a text is no invitation.
var ErrInvitation = errors.New("this is not an invitation: it has six groups of five letters and digits; compare it with what you were given")

// ParseInvitation reads what String wrote: the case of letters, spaces and
// hyphens do not matter, O is read as 0, I and L as 1.
func ParseInvitation(text string) (Invitation, error) {
	var inv Invitation
	text = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(text))
	if len(text) != invitationText {
		return inv, ErrInvitation
	}
	raw, err := crockford.DecodeString(text + "0")
	if err != nil {
		return inv, ErrInvitation
	}
	copy(inv[:], raw)
	if !hmac.Equal(inv.full(), raw) {
		return Invitation{}, ErrInvitation
	}
	return inv, nil
}

// ID names the invitation in a request without giving it away.
func (i Invitation) ID() [16]byte {
	return [16]byte(derive(i[:], "asc1 invitation id", invitationSize))
}

// MAC proves that who made the request has the invitation.
func (i Invitation) MAC(request []byte) [32]byte {
	hash := sha256.Sum256(request)
	mac := hmac.New(sha256.New, derive(i[:], "asc1 enrol", 32))
	mac.Write(hash[:])
	return [32]byte(mac.Sum(nil))
}

// enrolmentAge is how old a request may be, in milliseconds.
const enrolmentAge = 24 * Hour

// CheckEnrolment is K17 but for the question whether the invitation was used,
// which its keeper answers: the request's own signature, the MAC and the age.
func CheckEnrolment(request []byte, mac [32]byte, inv Invitation, org [32]byte, now uint64) (*Enrolment, error) {
	e, err := ReadEnrolment(request, org)
	if err != nil {
		return nil, err
	}
	expected := inv.MAC(request)
	if e.Invitation != inv.ID() || !hmac.Equal(expected[:], mac[:]) {
		return nil, ErrBadEnrolment.Because("the request does not prove that it has the invitation")
	}
	if e.Time > now+clockSkew || now > e.Time && now-e.Time >= enrolmentAge {
		return nil, ErrBadEnrolment.Because("the request is older than 24 hours, or from the future")
	}
	return e, nil
}

// ReadEnrolment is what a server can check of a request: organisation, key and
// own signature.
func ReadEnrolment(request []byte, org [32]byte) (*Enrolment, error) {
	e := new(Enrolment)
	if err := Parse(request, e); err != nil {
		return nil, err
	}
	if e.Org != org {
		return nil, ErrBadEnrolment.Because("the request is for another organisation")
	}
	if err := CheckPrimeOrder(e.SigKey[:]); err != nil {
		return nil, ErrBadEnrolment.Because("%v", err)
	}
	return e, verified(e, org, nil, 0, e.SigKey, ErrBadEnrolment)
}

// NewServerRequest makes the server's request for its own certificate (section
// 4.1). It is always the same, and made before there is an organisation.
func NewServerRequest(key ed25519.PrivateKey) []byte {
	e := &Enrolment{Kind: Server, SigKey: PublicKey(key)}
	id := derive(e.SigKey[:], "asc1 server", 32)
	copy(e.Subject[:], id[:16])
	copy(e.Device[:], id[16:])
	Sign(e, e.Org, nil, key)
	return e.Bytes()
}

// ReadServerRequest is K17 for the server's request, which nobody invites: it
// proves that who made it has the key.
func ReadServerRequest(request []byte) (*Enrolment, error) {
	e := new(Enrolment)
	if err := Parse(request, e); err != nil {
		return nil, err
	}
	if e.Kind != Server || e.Org != [32]byte{} || e.Invitation != [16]byte{} || e.Time != 0 {
		return nil, ErrBadEnrolment.Because("this is not a server's request for its own certificate")
	}
	return ReadEnrolment(request, e.Org)
}

// DepartmentKey is the private part of one generation of a department's keys.
type DepartmentKey struct {
	Signing [32]byte // seed for Ed25519
	KEM     [32]byte // seed for X-Wing
}

// NewDepartmentKey draws one.
func NewDepartmentKey() DepartmentKey {
	var k DepartmentKey
	rand.Read(k.Signing[:])
	rand.Read(k.KEM[:])
	return k
}

// Keys makes the two private keys of the seeds.
func (k DepartmentKey) Keys() (ed25519.PrivateKey, hpke.PrivateKey, error) {
	kem, err := NewKEMKey(k.KEM[:])
	if err != nil {
		return nil, nil, err
	}
	return ed25519.NewKeyFromSeed(k.Signing[:]), kem, nil
}

func departmentInfo(certificate, to [32]byte) []byte {
	return slices.Concat([]byte("asc1 dept"), certificate[:], to[:])
}

// Wrap encrypts the department's keys for a device's key object.
func (k DepartmentKey) Wrap(certificate *Certificate, to *KeyObject) ([]byte, error) {
	secret := slices.Concat(k.Signing[:], k.KEM[:])
	defer clear(secret)
	w := &Wrap{Type: WrapDepartment, To: to.Hash()}
	enc, ct, err := WrapSecret(secret, to.KEMKey[:], departmentInfo(certificate.Hash(), w.To))
	if err != nil {
		return nil, err
	}
	w.Enc, w.Ciphertext = [KEMEncSize]byte(enc), ct
	Sign(w, certificate.Org, nil)
	return w.Bytes(), nil
}

// OpenDepartmentKey opens such a wrap, and refuses by K15 keys that are not
// those of the certificate and its key object.
func OpenDepartmentKey(wrap []byte, certificate *Certificate, keyObject *KeyObject, to [32]byte, key hpke.PrivateKey) (DepartmentKey, error) {
	w := new(Wrap)
	if err := Parse(wrap, w); err != nil {
		return DepartmentKey{}, err
	}
	if w.Type != WrapDepartment || w.Leaf != 0 || w.To != to {
		return DepartmentKey{}, ErrWrapHash.Because("the wrap is not one of department keys for this device")
	}
	secret, err := OpenSecret(key, w.Enc[:], w.Ciphertext, departmentInfo(certificate.Hash(), w.To), 64)
	if err != nil {
		return DepartmentKey{}, err
	}
	defer clear(secret)
	k := DepartmentKey{[32]byte(secret[:32]), [32]byte(secret[32:])}
	signing, kem, err := k.Keys()
	if err != nil {
		return DepartmentKey{}, err
	}
	public, _ := signing.Public().(ed25519.PublicKey)
	if [32]byte(public) != certificate.SigKey || [KEMPublicKeySize]byte(kem.PublicKey().Bytes()) != keyObject.KEMKey {
		return DepartmentKey{}, ErrDepartmentKeyMismatch.Because("the department's keys are not those of its certificate")
	}
	return k, nil
}
